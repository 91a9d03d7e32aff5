"""What botocore knows of AWS's services, read by orjson, and only of the service that is asked for.

A client is made in two thirds of the time so.
"""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from botocore.exceptions import DataNotFoundError
from botocore.loaders import JSONFileLoader, Loader


class ModelFiles(JSONFileLoader):
    """Reads the files of models, plain or compressed."""

    def load_file(self, file_path: str) -> Any:
        """The content of a file whose name lacks its ending; None if there is no such file."""
        try:
            return orjson.loads(Path(f"{file_path}.json").read_bytes())
        except FileNotFoundError:
            pass
        try:
            with gzip.open(f"{file_path}.json.gz") as file:
                return orjson.loads(file.read())
        except FileNotFoundError:
            return None


class Models(Loader):
    """Finds the models where another loader would look for them."""

    def __init__(self, loader: Loader) -> None:
        super().__init__(loader.search_paths, ModelFiles(), include_default_search_paths=False)

    def list_available_services(self, type_name: str) -> Any:
        """The names of all services that have a model of this type: botocore wants to know whether one is among them.

        To list them takes a look into the folder of each, a thousand in all.
        """
        return _Services(super(), type_name)


class _Services:
    """Names of services, looked for as they are asked for."""

    def __init__(self, loader: Any, type_name: str) -> None:
        self._loader = loader
        self._type_name = type_name

    def __contains__(self, name: str) -> bool:
        try:
            return bool(self._loader.list_api_versions(name, self._type_name))
        except DataNotFoundError:
            return False

    def __iter__(self) -> Iterator[str]:
        return iter(self._loader.list_available_services(self._type_name))
