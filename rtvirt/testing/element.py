# SPDX-License-Identifier: Apache-2.0
"""Domain documents as libvirt shows and changes them."""

from __future__ import annotations

from typing import Final

from lxml import etree

import rtvirt
from rtvirt.testing.driver import read_element
from rtvirt.testing.libvirt_names import MetadataType

_TEXTS: Final = {
    MetadataType.DESCRIPTION: 'description',
    MetadataType.TITLE: 'title',
}


def describe(document: str, *, id: int, secure: bool) -> str:
    """Return a document as ``virsh dumpxml`` prints it.

    :param id: of the run; -1 for that of the next start.
    :param secure: whether passwords are shown.
    """
    root = read_element(document)
    if id >= 0:
        root.set('id', str(id))
    if not secure:
        for graphics in root.iterfind('devices/graphics'):
            graphics.attrib.pop('passwd', None)
    return _write(root)


def read_metadata(document: str, type: int, uri: str | None) -> str | None:
    """Return a title, a description or an element; None without such."""
    root = read_element(document)
    if type in _TEXTS:
        return root.findtext(_TEXTS[MetadataType(type)])
    found = root.find(f'metadata/{{{uri}}}*')
    if found is None:
        return None
    # libvirt shows it as it was set: in no namespace.
    for one in found.iter(f'{{{uri}}}*'):
        one.tag = etree.QName(one).localname
    etree.cleanup_namespaces(found)
    return _write(found)


def set_metadata(
    document: str,
    type: int,
    text: str | None,
    key: str | None,
    uri: str | None,
) -> str:
    """Return a document with other metadata; None takes them away.

    :param key: the prefix of the namespace ``uri``.
    """
    root = read_element(document)
    if type in _TEXTS:
        tag = _TEXTS[MetadataType(type)]
        parent: etree._Element = root
        old = root.find(tag)
        new = etree.Element(tag)
        new.text = text
    else:
        found = root.find('metadata')
        parent = etree.SubElement(root, 'metadata') if found is None else found
        old = parent.find(f'{{{uri}}}*')
        new = _in_namespace(text, key, uri)
    if old is not None:
        parent.remove(old)
    if text:
        parent.append(new)
    return _write(root)


def _in_namespace(
    text: str | None, key: str | None, uri: str | None
) -> etree._Element:
    """Return an element, which and whose children are in a namespace."""
    bare = read_element(text or '<none/>')
    top = etree.Element(bare.tag, nsmap={key: uri or ''})
    top.text = bare.text
    top.extend([*bare])
    for name, value in bare.items():
        top.set(name, value)
    for one in top.iter('*'):
        if not str(one.tag).startswith('{'):
            one.tag = f'{{{uri}}}{one.tag!s}'
    return top


def pin_vcpu(document: str, vcpu: int, cpus: rtvirt.CPUSet) -> str:
    """Return a document with another pin of a vCPU."""
    root = read_element(document)
    tune = root.find('cputune')
    if tune is None:
        tune = etree.SubElement(root, 'cputune')
    for old in tune.findall(f"vcpupin[@vcpu='{vcpu}']"):
        tune.remove(old)
    pin = etree.Element('vcpupin', vcpu=str(vcpu), cpuset=str(cpus))
    tune.insert(0, pin)
    return _write(root)


def _write(root: etree._Element) -> str:
    return etree.tostring(root, encoding='unicode', with_tail=False)
