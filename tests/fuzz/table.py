"""The table of targets. A new one: a line here, or in one of the modules that it names."""

from tests.fuzz.answers import ANSWERS
from tests.fuzz.compressed import COMPRESSED
from tests.fuzz.configurations import CONFIGURATIONS
from tests.fuzz.json_texts import JSON
from tests.fuzz.logs import LOGS
from tests.fuzz.target import Target
from tests.fuzz.texts import TEXTS
from tests.fuzz.told import TOLD

TARGETS: dict[str, Target] = {**JSON, **TEXTS, **COMPRESSED, **LOGS, **TOLD, **CONFIGURATIONS, **ANSWERS}
