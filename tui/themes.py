"""The chat's own colours, for dark and for light terminals."""

from collections.abc import Mapping

from textual.theme import Theme

from localspec.tui.backend import Choice

__all__ = ["AUTO", "DARK", "LIGHT", "choices", "fitting"]

AUTO = "auto"

DARK = Theme(
    name="localspec-dark",
    dark=True,
    primary="#7aa8e8",
    secondary="#b39ddb",
    accent="#7aa8e8",
    warning="#e0b063",
    error="#e5786d",
    success="#8ec07c",
    foreground="#d6d9e0",
    background="#111317",
    surface="#181b21",
    panel="#20242c",
    variables={
        "foreground-muted": "#8d939e",
        "footer-key-foreground": "#9aa3b2",
        "footer-background": "#111317",
    },
)
LIGHT = Theme(
    name="localspec-light",
    dark=False,
    primary="#2d62b3",
    secondary="#6f4fb0",
    accent="#2d62b3",
    warning="#96610a",
    error="#b3372c",
    success="#3d7a35",
    foreground="#23262c",
    background="#fbfaf8",
    surface="#f3f2ee",
    panel="#e8e6e1",
    variables={
        "foreground-muted": "#646a75",
        "footer-key-foreground": "#5d6470",
        "footer-background": "#fbfaf8",
    },
)


def fitting(dark: bool | None) -> Theme:
    """The colours for a terminal; one that does not say is taken to be dark."""
    return LIGHT if dark is False else DARK


def choices(themes: Mapping[str, Theme]) -> list[Choice]:
    """What can be chosen: by the terminal, our own, those of others."""
    ours = {theme.name: theme for theme in (DARK, LIGHT)}
    rest = {name: theme for name, theme in sorted(themes.items()) if name not in ours}
    named = [Choice(name, "dark" if t.dark else "light") for name, t in {**ours, **rest}.items()]
    return [Choice(AUTO, "dark or light, as the terminal is"), *named]
