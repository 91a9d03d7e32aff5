"""Configurations: `awsflow.toml`, and the blocks of `ossec.conf`; read, checked, written.

config = config_of(read("awsflow.toml"), os.environ)
"""

from pathlib import Path

from awsflow.configuration.build import Config, RunConfig, SourceConfig, config_of, problems_in
from awsflow.configuration.document import Document, text_of
from awsflow.configuration.when import When

__all__ = ["Config", "Document", "RunConfig", "SourceConfig", "When", "config_of", "problems_in", "read"]


def read(path: Path | str) -> Document:
    """The document that a file holds, whatever its name: XML begins with `<`. Not checked; see `config_of`."""
    path = Path(path)
    content = text_of(path)
    if content.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        from awsflow.configuration.ossec_conf import read_ossec_conf  # noqa: PLC0415 - a TOML needs no XML parser

        return read_ossec_conf(content, str(path))
    from awsflow.configuration.toml_file import read_toml  # noqa: PLC0415 - likewise

    return read_toml(content, str(path))
