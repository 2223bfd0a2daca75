# SPDX-License-Identifier: Apache-2.0
"""A small OpenStack on this machine's loopback, with rtvirt in its nova.

keystone, placement, glance, nova, RabbitMQ and libvirt are the real ones,
each in processes of its own; for neutron stands in what answers that there
is nothing. All that they write lies in one directory, and with it they go.
"""
