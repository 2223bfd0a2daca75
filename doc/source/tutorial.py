# SPDX-License-Identifier: Apache-2.0
"""The program of the tutorial; a test runs it."""

# begin
import rtvirt

flavor = rtvirt.Flavor(
    name='rt1.small',
    vcpus=4,
    memory_mib=4096,
    extra_specs={
        'hw:cpu_policy': 'dedicated',
        'hw:cpu_realtime': 'yes',
        'hw:cpu_realtime_mask': '^0-1',
        'hw:mem_page_size': '1GB',
    },
)
host = rtvirt.HostTopology.uniform(
    cells=2, cores=8, threads=2, dedicated=rtvirt.CPUSet.parse('2-31')
)
try:
    plan = rtvirt.fit(rtvirt.parse_guest(flavor), host)
except rtvirt.FitError as error:
    for reason in error.reasons:
        print(reason)
else:
    print(plan.pins, plan.emulator)
    print(rtvirt.domain_xml(plan, name='rt1'))
    host = host.claim(plan)  # what is left for the next guest
