"""What `/metrics` tells Prometheus, under the names vLLM gave these things.

Dashboards made for vLLM work. What only localspec has is called `localspec:`.
"""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from localspec.engine.worker import Answer
from localspec.runtime import LLM
from localspec.serve.props import ROWS

__all__ = ["Metrics"]

_LATENCIES = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_PER_TOKEN = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)


class Metrics:
    """Counts what answers cost and gave; `llm` gives the model while it is in memory."""

    def __init__(self, model: str, llm: Callable[[], LLM | None]) -> None:
        self._registry, self._model = CollectorRegistry(), model
        self._registry.register(_Moment(model, llm))
        self._counters = {
            name: Counter(f"vllm:{name}", about, ["model_name"], registry=self._registry)
            for name, about in (
                ("prompt_tokens", "Tokens of prompts."),
                ("generation_tokens", "Tokens of answers."),
                ("prefix_cache_queries", "Tokens of prompts looked for in the cache."),
                ("prefix_cache_hits", "Tokens of prompts found in the cache."),
                ("spec_decode_num_drafts", "Guesses the target looked at."),
                ("spec_decode_num_draft_tokens", "Tokens of guesses."),
                ("spec_decode_num_accepted_tokens", "Tokens of guesses that held."),
            )
        }
        self._by_label = {
            name: Counter(f"vllm:{name}", about, ["model_name", label], registry=self._registry)
            for name, label, about in (
                ("spec_decode_num_accepted_tokens_per_pos", "position", "The same, by place."),
                ("request_success", "finished_reason", "Answers, by why they ended."),
            )
        }
        self._times = {
            name: Histogram(
                f"vllm:{name}", about, ["model_name"], buckets=buckets, registry=self._registry
            )
            for name, about, buckets in (
                ("time_to_first_token_seconds", "From the request to the first token.", _LATENCIES),
                ("time_per_output_token_seconds", "Of tokens after the first.", _PER_TOKEN),
            )
        }

    def count(self, answer: Answer) -> None:
        """Add an answer that ended, one that was cancelled too."""
        s, said = answer.statistics, answer.finish_reason
        for name, amount in (
            ("prompt_tokens", s.prompt_tokens),
            ("generation_tokens", s.completion_tokens),
            ("prefix_cache_queries", s.prompt_tokens),
            ("prefix_cache_hits", s.cached_tokens),
            ("spec_decode_num_drafts", next(iter(s.drafted_per_position), 0)),
            ("spec_decode_num_draft_tokens", s.draft_tokens),
            ("spec_decode_num_accepted_tokens", s.accepted_tokens),
        ):
            self._counters[name].labels(self._model).inc(amount)
        for position, accepted in enumerate(s.accepted_per_position):
            counter = self._by_label["spec_decode_num_accepted_tokens_per_pos"]
            counter.labels(self._model, str(position)).inc(accepted)
        self._by_label["request_success"].labels(self._model, said).inc()
        if s.completion_tokens:
            times = self._times["time_to_first_token_seconds"]
            times.labels(self._model).observe(s.first_token_seconds)
        if s.predicted_tokens:
            times = self._times["time_per_output_token_seconds"]
            times.labels(self._model).observe(s.predicted_seconds / s.predicted_tokens)

    def text(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self._registry)


class _Moment(Collector):
    """What is true while it is asked for: the queue, and what steps cost here."""

    def __init__(self, model: str, llm: Callable[[], LLM | None]) -> None:
        self._model, self._llm = model, llm

    def collect(self) -> Iterable[Metric]:
        """Gauges; those of a model that is not in memory are 0 or left out."""
        llm = self._llm()
        running = llm.running if llm else 0
        waiting = max(0, llm.unfinished - running) if llm else 0
        yield self._gauge("vllm:num_requests_running", "Answers being made.", running)
        yield self._gauge("vllm:num_requests_waiting", "Requests that wait.", waiting)
        yield self._gauge("localspec:model_loaded", "1 while it is in memory.", int(bool(llm)))
        if llm is None:
            return
        governor = llm.governor
        yield self._gauge(
            "localspec:plain_tokens_per_second",
            "Speed of plain decoding, one answer alone, at the pace of the moment.",
            governor.plain_rate(),
        )
        steps = GaugeMetricFamily(
            "localspec:step_seconds",
            "What a step that looks at this many tokens takes now.",
            labels=["model_name", "rows"],
        )
        for rows in ROWS:
            steps.add_metric([self._model, str(rows)], governor.costs.step(rows))
        yield steps

    def _gauge(self, name: str, about: str, value: float) -> GaugeMetricFamily:
        family = GaugeMetricFamily(name, about, labels=["model_name"])
        family.add_metric([self._model], value)
        return family
