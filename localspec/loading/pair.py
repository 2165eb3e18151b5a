"""A target and what guesses for it, in memory: from files to an engine."""

import platform
from contextlib import ExitStack
from pathlib import Path

from localspec import models
from localspec.drafters import drift
from localspec.drafters.base import Drafter
from localspec.drafters.grammar import GrammarDrafter
from localspec.drafters.lookup import LookupDrafter
from localspec.drafters.model import ModelDrafter
from localspec.engine.engine import Engine
from localspec.governor import profile
from localspec.governor.costs import Costs
from localspec.governor.governor import Governor
from localspec.governor.sweep import set_pace, sweep
from localspec.llama.context import Context
from localspec.llama.library import devices, system_info
from localspec.llama.model import Model
from localspec.loading.loading import Loading

__all__ = ["Pair"]

_SWEEP_SECONDS = 0.6


class Pair:
    """Models, caches, drafters, an engine around them, and what is known of their speed.

    It is made on the thread that will decode, and lives as long as `resources`. `notes` are
    sentences worth telling a person, e.g. why a draft is not used; `remembered` is whether what is
    known of speeds was kept when it ended.
    """

    def __init__(self, loading: Loading, resources: ExitStack) -> None:
        target, draft = models.resolve(str(loading.model), str(loading.draft))
        models.usage.used(target)
        self._loading, self._resources = loading, resources
        self.notes: list[str] = []
        self.remembered = False
        self.target = self._model(target)
        self.cache = self._context(self.target)
        self.draft = self._fitting(self._model(draft, exact=False)) if draft else None
        drafters: list[Drafter] = []
        if self.draft:
            known = self.draft.vocabulary.size
            drafters.append(ModelDrafter(self._context(self.draft), known))
        if self.cache.can_truncate:
            drafters += [LookupDrafter(), GrammarDrafter()]
        self.governor = Governor(
            Costs(min(self.cache.outputs, self.cache.sequences * self.cache.even)),
            own_cells=self.cache.own_cells,
            asynchronous=self.cache.asynchronous,
        )
        self._learn()
        vocabulary, costs = self.target.vocabulary, self.governor.costs
        self.engine = Engine(self.cache, vocabulary, drafters, self.governor, costs)
        if self.draft:
            diary = drift.Diary(vocabulary)
            self.engine.listen(diary.observe)
            resources.callback(drift.remember, target, self.draft.path, diary.counts)

    def _remember(self) -> None:
        """Keep what is known of speeds."""
        self.remembered = profile.save(self.governor, self._profile)

    def _learn(self) -> None:
        """What decoding costs: as it was remembered, or else measured now."""
        self._profile = self._profile_path()
        costs = self.governor.costs
        if profile.load(self.governor, self._profile):
            set_pace(self.cache, costs)
        else:
            sweep(self.cache, costs, budget=_SWEEP_SECONDS)
        self._resources.callback(self._remember)

    def _profile_path(self) -> Path:
        """Where costs are kept for just this combination of files, build and computer."""
        loaded = [model for model in (self.target, self.draft) if model]
        files = [(model.path.name, model.path.stat().st_size) for model in loaded]
        computer = (platform.node(), system_info(), [device.description for device in devices()])
        sizes = (self.cache.threads, self.cache.sequences, self._loading.gpu_layers)
        return profile.path_for(files, *computer, *sizes)

    def _fitting(self, draft: Model) -> Model | None:
        """`draft` where it can guess for the target; else None, and a note."""
        objection = self._objection(draft)
        if objection:
            self.notes.append(f"{objection} Going on without a draft.")
        return None if objection else draft

    def _objection(self, draft: Model) -> str | None:
        """Why `draft` cannot guess for the target, as a sentence."""
        if not self.cache.can_truncate:
            return f"The cache of {self.target.name} cannot be rolled back over a wrong guess."
        difference = self.target.vocabulary.difference(draft.vocabulary)
        return difference and f"{draft.name} cannot draft for {self.target.name}: {difference}."

    def _model(self, path: Path, *, exact: bool = True) -> Model:
        layers = self._loading.gpu_layers
        return self._resources.enter_context(Model(path, gpu_layers=layers, exact=exact))

    def _context(self, model: Model) -> Context:
        sizes = self._loading.sizes(self.target.context_length, model.context_length)
        return self._resources.enter_context(Context(model, **sizes))
