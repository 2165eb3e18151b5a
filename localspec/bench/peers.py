"""Which llama-servers take part in a benchmark, each with what localspec uses itself."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from localspec import cgroups
from localspec.bench.llama_server import LlamaServer, serving, surviving
from localspec.bench.llama_server_flags import Setting, Site, help_of, settings
from localspec.decoding.sampling import Sampling
from localspec.errors import LocalspecError
from localspec.llama.library import threads
from localspec.models.files import size_of
from localspec.runtime import LLM

__all__ = ["peers", "site_of"]

_SERVER_BYTES = 512 << 20  # of a server beside its weights


@contextmanager
def peers(
    llm: LLM,
    binary: Path,
    sampling: Sampling,
    max_tokens: int,
    *,
    every: bool,
    notes: list[str],
    progress: Callable[[float, str], None],
) -> Iterator[list[LlamaServer]]:
    """A running server for each setting; what is left out, and why, goes to `notes`.

    Raises UsageError where `binary` is no llama-server, LocalspecError where it does not run.
    """
    site = site_of(llm, binary)
    if not site.repacking:
        notes.append("llama-server dies of AMX here, so it runs with --no-repack.")
    if not site.draft:
        notes.append("llama-server has no draft either, so it decodes plainly.")
    with ExitStack() as servers:
        running = []
        for setting in _affordable(settings(site.help_text, site.draft, every=every), site, notes):
            progress(0.0, f"starting llama-server {setting.name}")
            try:
                server = serving(site, setting, sampling, max_tokens)
                running.append(servers.enter_context(server))
            except LocalspecError as error:
                if not setting.flags:
                    raise
                notes.append(str(error))
        yield running


def site_of(llm: LLM, binary: Path) -> Site:
    """What a model is loaded with, for the server at `binary`, and whether its weights can be
    repacked there. Raises UsageError where that is no llama-server.
    """
    site = Site(
        binary=binary,
        help_text=help_of(binary),
        target=llm.target.path,
        draft=llm.draft.path if llm.draft else None,
        context=llm.context_length,
        threads=threads(),
    )
    return surviving(site)


def _affordable(found: list[Setting], site: Site, notes: list[str]) -> list[Setting]:
    """As many as fit into memory side by side, since all answer in turns."""
    weights = sum(size_of(path) for path in (site.target, site.draft) if path)
    fitting = cgroups.memory_free() // (weights + _SERVER_BYTES)
    kept = found[: max(1, fitting)]
    if len(kept) < len(found):
        left_out = ", ".join(setting.name for setting in found[len(kept) :])
        notes.append(f"Memory holds {len(kept)} llama-servers; left out: {left_out}.")
    return kept
