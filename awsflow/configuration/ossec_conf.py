r"""`ossec.conf`: the blocks `<wodle name="aws-s3">`, as Wazuh documents them.

https://documentation.wazuh.com/current/user-manual/reference/ossec-conf/wodle-s3.html

Such a file is nearly XML. There may be several root elements; `&` stands for itself; `\<` is no element's begin; and
comments may hold whatever they like. So the blocks are cut out, what XML would not take is escaped, and each block is
then read by a real parser, which resolves no entity and no DTD. The rest of the file is Wazuh's business.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import StringIO
from typing import Any
from xml.sax import SAXParseException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl, InputSource, Locator

from defusedxml.common import DefusedXmlException
from defusedxml.sax import make_parser

from awsflow import options as checks
from awsflow.configuration.document import Document, Section
from awsflow.configuration.table import BUCKET, SERVICE, SUBSCRIBER, Option, Table
from awsflow.errors import ArgumentsError, ConfigError

_odd = re.compile(r"(?s)<!--.*?-->|<!--|\\<|&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});)")
_begin = re.compile(r"<wodle\b(?=[^>]*\bname\s*=\s*(?:\"\s*aws-s3\s*\"|'\s*aws-s3\s*'))[^>]*>").search
_end = re.compile(r"</wodle\s*>").search

OF_SOURCES: dict[str, tuple[Option, ...]] = {"bucket": BUCKET, "service": SERVICE, "subscriber": SUBSCRIBER}
OF_BLOCK = ("disabled", "interval", "run_on_start", "skip_on_error", "day", "wday", "time")
"""Elements of a block that say something of all its sources."""
OF_OLD_BUCKET = ("access_key", "secret_key", "remove_from_bucket")
"""Elements of a block that go with `<bucket>NAME</bucket>`, as it was before Wazuh 3.6."""
WITHOUT_EFFECT = {
    "service": ("aws_account_id", "aws_account_alias"),
    "subscriber": ("aws_account_alias",),
}
"""Elements that Wazuh documents for sources that have no use for them."""


@dataclass(slots=True)
class Element:
    """An element of XML, and its line in the file."""

    name: str
    line: int
    attributes: Mapping[str, str] = field(default_factory=dict)
    children: list["Element"] = field(default_factory=list)
    text: str = field(default="", repr=False)


def read_ossec_conf(content: bytes, file: str) -> Document:
    """The sources of all blocks; ConfigError, with the line, for what is no XML even so."""
    sources: list[Section] = []
    notes: list[str] = []
    blocks = list(_blocks(content.decode("utf-8", "replace"), file))
    if not blocks:
        raise ConfigError(f'reading {file}: there is no <wodle name="aws-s3"> in it; add one, or name another file')
    for block in blocks:
        sources += _sources(block, file, notes)
    return Document(file, Section("", file), Section("defaults", file), tuple(sources), tuple(notes))


def _sources(block: Element, file: str, notes: list[str]) -> Iterator[Section]:
    """The sources of a block, each with what the block says of all of them."""
    common: dict[str, Element] = {}
    old: dict[str, Element] = {}
    sources: list[Element] = []
    for child in block.children:
        place = f"{file}, line {child.line}"
        if child.name in OF_SOURCES:
            sources.append(child)
        elif child.name in OF_BLOCK:
            common[child.name] = child
        elif child.name in OF_OLD_BUCKET:
            old[child.name] = child
        else:
            notes.append(f'{place}: <{child.name}> is no option of <wodle name="aws-s3">; it has no effect')
    if not sources:
        notes.append(f"{file}, line {block.line}: this block has no bucket, no service and no subscriber")
    common.setdefault("skip_on_error", Element("skip_on_error", block.line, text="yes"))
    has_old = False
    for source in sources:
        if source.name == "bucket" and not source.children and source.text.strip():
            has_old = True
            source.children = [Element("name", source.line, text=source.text), *old.values()]
        yield _section(source, common, file, notes)
    if not has_old:
        for name, child in old.items():
            notes.append(f"{file}, line {child.line}: <{name}> belongs into a <bucket>; it has no effect here")


def _section(source: Element, common: Mapping[str, Element], file: str, notes: list[str]) -> Section:
    """One source."""
    table: Table = source.name  # type: ignore[assignment] # it is one of OF_SOURCES
    known = {option.element: option for option in OF_SOURCES[source.name] if option.element}
    values: dict[str, Any] = {}
    places: dict[str, str] = {}
    own: set[str] = set()

    def keep(element: str, text: str, line: int) -> None:
        option = known[element]
        text = text.strip()
        places[option.name] = f"{file}, line {line}, <{element.partition('@')[0] or table}>"
        value = _value(option, text, places[option.name]) if text else None
        if value is not None and (option.name, value) != ("disabled", False):  # which is what everybody writes
            values[option.name] = value

    for element in common.values():
        if element.name in known:
            keep(element.name, element.text, element.line)
    for name, text in source.attributes.items():
        if f"@{name}" in known:
            keep(f"@{name}", text, source.line)
        else:
            notes.append(
                f"{file}, line {source.line}: the attribute {name} of <{source.name}> is unknown; it has no effect"
            )
    for child in source.children:
        attributes = {f"{child.name}@{name}": text for name, text in child.attributes.items()}
        if child.name in OF_BLOCK or child.name not in known:
            why = (
                "has no effect on it"
                if child.name in WITHOUT_EFFECT.get(source.name, ())
                else "is no option of it; it has no effect"
            )
            notes.append(f"{file}, line {child.line}: <{source.name}>: <{child.name}> {why}")
            continue
        if child.children:
            inner = child.children[0]
            raise ConfigError(
                f"reading {file}, line {inner.line}: <{inner.name}> stands within <{child.name}>; is a / missing there?"
            )
        if known[child.name].name in own:
            notes.append(f"{file}, line {child.line}: <{child.name}> stands there twice; the last one counts")
        own.add(known[child.name].name)
        keep(child.name, child.text, child.line)
        for name, text in attributes.items():
            if name in known:
                keep(name, text, child.line)
            else:
                notes.append(f"{file}, line {child.line}: <{child.name}> has no attribute {name.partition('@')[2]}")
    return Section(table, f"{file}, line {source.line}, <{source.name}>", values, places)


def _value(option: Option, text: str, place: str) -> Any:
    """The value as `awsflow.toml` has it. What does not fit stays as it is: the check will tell."""
    match option.kind:
        case "flag":
            if text.lower() not in ("yes", "no"):
                raise ConfigError(f"{place}: write yes or no")
            return text.lower() == "yes"
        case "list":
            return [part.strip() for part in text.split(",")]
        case "integer" if text.isascii() and text.isdigit() and len(text) < 16:
            return int(text)
        case "date":
            try:
                return checks.day(text)
            except ArgumentsError:
                return text
    return text


def _blocks(text: str, file: str) -> Iterator[Element]:
    """The blocks, one after the other."""
    escaped = _odd.sub(lambda found: _escaped(found, file), text)
    at = 0
    while begin := _begin(escaped, at):
        line = escaped.count("\n", 0, begin.start()) + 1
        if begin[0].endswith("/>"):
            yield Element("wodle", line)
            at = begin.end()
            continue
        end = _end(escaped, begin.end())
        if end is None:
            raise ConfigError(f"reading {file}, line {line}: this <wodle> is not closed; write </wodle> behind it")
        block = escaped[begin.start() : end.end()]
        if "\ufffd" in block:
            line += block.count("\n", 0, block.index("\ufffd"))
            raise ConfigError(f"reading {file}, line {line}: this is not UTF-8; save the file in that encoding")
        yield _parsed(block, line, file)
        at = end.end()


def _escaped(found: re.Match[str], file: str) -> str:
    """What XML takes for what stands there."""
    odd = found[0]
    if odd == "<!--":
        line = found.string.count("\n", 0, found.start()) + 1
        raise ConfigError(f"reading {file}, line {line}: this comment does not end; write --> behind it")
    if odd.startswith("<!--"):
        return "\n" * odd.count("\n")
    return r"\&lt;" if odd == r"\<" else "&amp;"


def _parsed(block: str, line: int, file: str) -> Element:
    """The tree of a block that begins in this line."""
    tree = _Tree(line)
    parser = make_parser()
    parser.forbid_dtd = True
    parser.setContentHandler(tree)
    source = InputSource()
    source.setCharacterStream(StringIO(block))
    try:
        parser.parse(source)
    except SAXParseException as error:
        at = line - 1 + (error.getLineNumber() or 1)
        raise ConfigError(f"reading {file}, line {at}: {error.getMessage()}; each <name> needs its </name>") from None
    except DefusedXmlException:
        raise ConfigError(f"reading {file}, line {line}: there are declarations in this block; take them out") from None
    return tree.top.children[0]


class _Tree(ContentHandler):
    """Makes elements of what the parser tells."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.top = Element("", line)
        self._open = [self.top]
        self._before = line - 1
        self._where: Locator | None = None

    def setDocumentLocator(self, locator: Locator) -> None:  # noqa: N802 - the parser's name
        self._where = locator

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802 - likewise
        line = self._before + ((self._where and self._where.getLineNumber()) or 1)
        element = Element(name, line, dict(attrs))
        self._open[-1].children.append(element)
        self._open.append(element)

    def endElement(self, name: str) -> None:  # noqa: N802 - likewise
        self._open.pop()

    def characters(self, content: str) -> None:
        self._open[-1].text += content
