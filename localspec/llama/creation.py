"""Makes a context, and sees to the backends that it makes for itself."""

from collections.abc import Callable
from typing import Any

from localspec.llama import recordings, reference
from localspec.llama.backends import can_be_heard, heard
from localspec.llama.library import ggml, lib, processor, start
from localspec.llama.reference import Switch

__all__ = ["create"]


def create(model: object, parameters: object) -> tuple[Any, Switch | None]:
    """A context of `model`, None where there is too little memory, and the switch of how it
    computes on the processor, where llama.cpp has one. A GPU keeps its recordings.
    """
    start()
    told, of_processor = dict[int, Callable[[int], None]](), list[int]()
    if can_be_heard():
        handles = map(ggml["ggml_backend_dev_get"], range(ggml["ggml_backend_dev_count"]()))
        told |= {device: recordings.keep for device in handles if recordings.records(device)}
    if reference.available():
        told[processor()] = of_processor.append
    with heard(told):
        context = lib.llama_init_from_model(model, parameters)
    return context, reference.switch(of_processor[0]) if of_processor else None
