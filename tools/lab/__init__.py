# SPDX-License-Identifier: Apache-2.0
"""The lab: an emulated real-time host, on any x86-64 machine.

QEMU's software emulation gives it as many pCPUs, cells and huge pages as a
topology asks for, a PREEMPT_RT kernel, and SVM, with which libvirt runs KVM
guests in it. Nothing of the machine is used but processor time, memory and
some loopback ports; no privilege is needed but for the image's packages.
"""
