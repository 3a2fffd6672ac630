"""Settings of a command line: composed by Hydra, checked, and explained where they are wrong."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import hydra
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict, read_write
from omegaconf.errors import OmegaConfBaseException

from baimo.conf import schema
from baimo.experiments.run import store
from baimo.world.engine.population import PopulationFull


class UserError(ValueError):
    """Something the user typed; its text says what would be right."""


USER_ERRORS = (
    UserError,
    schema.ConfigError,
    store.OutputError,
    PopulationFull,
    HydraException,
    OmegaConfBaseException,
)


def compose_command(overrides: Sequence[str], multirun: bool = False) -> tuple[DictConfig, bool]:
    """Compose and check the settings of a command line, without those of a sweep.

    Returns
    -------
    cfg : DictConfig
        Settings, with Hydra's own below ``hydra``.
    several : bool
        Whether the command line asks for several runs (``-m``, or an experiment that does).
    """
    with composing() as loader:
        parsed = OverridesParser.create(loader).parse_overrides(list(overrides))
        swept = [override for override in parsed if override.is_sweep_override()]
        single = [override.input_line for override in parsed if not override.is_sweep_override()]
        cfg = hydra.compose("config", single, return_hydra_config=True)
        added = [o.key_or_group for o in parsed if (o.is_add() or o.is_force_add())]
        added = [key for key in added if not loader.get_group_options(key) and not key.startswith("hydra.")]
    # Hydra lets + add any key, and nothing would ever read it.
    for key in added:
        if key not in _known_keys():
            raise UserError(_unknown_key(key, overrides))
    if cfg.design:
        raise UserError("design: is what baimo design sets; it takes the same settings")
    several = multirun or cfg.hydra.mode == RunMode.MULTIRUN
    if swept and not several:
        raise UserError(f"{swept[0].input_line}: several values; add -m to run them one after another")
    schema.check(job_settings(cfg))
    return cfg, several


def compose_run(overrides: Sequence[str]) -> DictConfig:
    """Composed and checked settings of one run, without Hydra's own."""
    cfg, several = compose_command(overrides)
    if several:
        raise UserError("an experiment of several runs (hydra.mode=MULTIRUN) cannot be compared as one")
    return job_settings(cfg)


@contextmanager
def composing() -> Iterator[ConfigLoader]:
    """Hydra made ready to compose from ``conf``."""
    with hydra.initialize_config_module("baimo.conf", version_base=None, job_name="baimo"):
        yield GlobalHydra.instance().config_loader()


def only_settings(words: Iterable[str], command: str) -> list[str]:
    """Words of a command line that must be settings.

    Raises
    ------
    UserError
        For a word that is no ``key=value``.
    """
    words = list(words)
    for word in words:
        if "=" not in word:
            raise UserError(f"{word}: not a setting; write key=value, for example worlds=16 (baimo {command} --help)")
    return words


def job_settings(cfg: DictConfig) -> DictConfig:
    """The settings without Hydra's own."""
    cfg = cfg.copy()
    with read_write(cfg), open_dict(cfg):
        cfg.pop("hydra", None)
    return cfg


def experiment_of(hydra_settings: DictConfig) -> str | None:
    """Name of the ``experiment=`` file in use, if any."""
    name = hydra_settings.runtime.choices.get("experiment")
    return None if name in (None, "null") else str(name)


def explain(error: Exception, overrides: Sequence[str]) -> str:
    """One line for what was typed wrongly: key, value, and what would be right.

    Parameters
    ----------
    error : Exception
        One of ``USER_ERRORS``.
    overrides : sequence of str
        What was typed, ``key=value`` each.
    """
    text = str(error)
    cause = error.__cause__ if isinstance(error.__cause__, OmegaConfBaseException) else None
    if isinstance(error, MissingConfigException) and error.options is not None:
        return _unknown_option(error)
    if isinstance(error, OverrideParseException):
        return f"cannot read {error.override!r}: write key=value, for example worlds=64"
    unknown = re.search(r"Could not (?:override|delete from config. Override|append to config.*?) '([^'=]+)", text)
    if unknown:
        return _unknown_key(unknown[1].split("@")[0], overrides)
    merging = re.match(r"Error merging override (.+)", text)
    if merging and cause is not None:
        return f"{merging[1].strip()}: {_first_line(cause)}{_now(merging[1])}"
    lines = [text, *([str(cause)] if cause is not None else [])]
    return "; ".join(dict.fromkeys(line.strip() for part in lines for line in part.splitlines() if line.strip()))


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".")


def _unknown_option(error: MissingConfigException) -> str:
    missing = str(error.missing_cfg_file)
    group, _, option = missing.rpartition("/")
    options = sorted(error.options or ())
    choice = ", ".join(options)
    return f"{group}={option}: there is no such {group}; choose from {choice}{near(option, options)}"


def _unknown_key(key: str, overrides: Sequence[str]) -> str:
    typed = next((line for line in overrides if line.lstrip("+~").startswith(key)), key)
    return f"{typed}: there is no setting {key!r}{near(key, [*_known_keys()])}"


def _known_keys() -> Iterable[str]:
    with composing() as loader:
        cfg = hydra.compose("config")
        groups = [group for group in loader.list_groups("") if group != "hydra"]
    yield from groups
    yield from (key for key, _ in store.leaves(OmegaConf.to_container(cfg)))


def near(word: str, known: Sequence[str]) -> str:
    """``; did you mean ...?`` for the nearest known name, by its whole or by its last part."""

    def likeness(name: str) -> float:
        whole = difflib.SequenceMatcher(None, word, name).ratio()
        last = difflib.SequenceMatcher(None, word.rpartition(".")[2], name.rpartition(".")[2]).ratio()
        return max(whole, 0.9 * last)

    best = max(known, key=likeness, default=None)
    if best is not None and likeness(best) > 0.7:
        return f"; did you mean {best}?"
    return "; baimo run --help and baimo params list all"


def _now(override: str) -> str:
    key = override.partition("=")[0].strip().lstrip("+")
    with composing():
        value = OmegaConf.select(hydra.compose("config"), key)
    return f" (by default {key}={value})" if isinstance(value, bool | int | float | str) else ""
