"""Networks and front ends by name: classes registered by plugins, and references to them.

Conventions
-----------
A class of a built-in plugin is stored with its name alone, one of another plugin with its name and
the plugin's package, any other with its import path (``class_path``). Importing a module runs its
code, so an import path in a file is only followed if it is trusted: see `trusted`. A model is never
built from another class than the one that was stored.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from genrenet.plugins.manager import BUILT_IN, contributions, plugin_packages
from genrenet.plugins.named import parameters_of
from genrenet.utils.errors import GenrenetError
from genrenet.utils.lazy import Lazy

if TYPE_CHECKING:
    from torch import nn

Hook = Literal["register_networks", "register_frontends"]
"""Hooks in which classes are registered."""

TRUST = "GENRENET_TRUST"
"""Environment variable with trusted packages, separated by commas, whose classes may be built."""

OWN = ("genrenet", "genrenet_plugins")

Plain = bool | int | float | str | None


class RebuildError(GenrenetError):
    """A class that cannot be stored in a checkpoint, or cannot be restored from one."""


class ModuleClass(NamedTuple):
    """A class of networks or front ends, by the name that checkpoints store.

    Parameters
    ----------
    name : str
        Name in checkpoints and in ``genrenet plugins``.
    summary : str
        Description in one line.
    kind : type or str
        The class, or its import path: nothing is imported then before it is needed.
    """

    name: str
    summary: str
    kind: type | str

    @property
    def path(self) -> str:
        """Import path of the class."""
        return self.kind if isinstance(self.kind, str) else path_of(self.kind)

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of the class, without an import if its source states them."""
        kind = self.kind
        return parameters_of(Lazy(*kind.rsplit(".", 1)) if isinstance(kind, str) else kind)

    def load(self) -> Any:
        """Return the class, imported if need be."""
        if not isinstance(self.kind, str):
            return self.kind
        return _import(self.kind, f"'{self.name}' is registered as {self.kind}")


def registered(hook: Hook) -> dict[str, ModuleClass]:
    """Return all classes of networks or of front ends that plugins register, by name."""
    return {name: entry.item for name, entry in contributions(hook).items()}


_USED: set[type] = set()


def use(kind: type) -> None:
    """Record that the program itself has built a model of a class: it may be built again."""
    _USED.add(kind)


def made_by(make: Callable[..., Any], *first: Any) -> Any:
    """Call a factory of modules; for a class or a partial with keywords, record the arguments."""
    made = make(*first)
    if isinstance(make, partial):
        if make.func is type(made) and not make.args:
            remember(made, first, make.keywords)
    elif make is type(made):
        remember(made, first, {})
    return made


def remember(
    module: Any, first: Sequence[Any], keywords: Mapping[str, Any], *, anew: bool = False
) -> None:
    """Record the arguments of a module, as `Recorded` does, unless it has some already and ``anew``
    is false.
    """
    if anew or "_made_with" not in vars(module):
        object.__setattr__(module, "_made_with", (tuple(first), dict(keywords)))


def set_argument(module: Any, name: str, value: Any) -> bool:
    """Change one of the recorded arguments of a module, if its class takes it."""
    if name not in inspect.signature(type(module)).parameters or "_made_with" not in vars(module):
        return False
    first, keywords = vars(module)["_made_with"]
    object.__setattr__(module, "_made_with", (first, {**keywords, name: value}))
    return True


def instantiated(kind: Any, *args: Any, **keywords: Any) -> Any:
    """Build a module that a configuration names, and `remember` its arguments."""
    made = kind(*args, **keywords)
    remember(made, args, keywords)
    return made


class Recorded:
    """Base of modules that record the arguments they were made with."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Record the arguments; `nn.Module` takes no attributes before its own ``__init__``."""
        made = super().__new__(cls)
        object.__setattr__(made, "_made_with", (args, kwargs))
        return made


def arguments_of(module: Any, *, skip: int = 0) -> dict[str, Any]:
    """Return the arguments that rebuild a module, as plain types.

    Parameters
    ----------
    module : Recorded
        If its ``settings`` contain an argument, they take precedence: they may have been changed.
    skip : int >= 0
        Number of leading arguments that are left out.

    Raises
    ------
    RebuildError
        An argument that is not plain: a number, a text, a boolean, None, or lists and dictionaries
        of these.
    """
    signature = inspect.signature(type(module).__init__)
    args, kwargs = _made_with(module, signature)
    bound = signature.bind(module, *args, **kwargs).arguments
    found: dict[str, Any] = {}
    for name in list(bound)[1 + skip :]:
        kind = signature.parameters[name].kind
        if kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.VAR_POSITIONAL):
            raise RebuildError(
                f"{path_of(type(module))} cannot be stored in a checkpoint",
                found=f"the argument {name}, which has no name to give it by",
                wanted="arguments that can be given by their names",
            )
        found |= bound[name] if kind is inspect.Parameter.VAR_KEYWORD else {name: bound[name]}
    settings = getattr(module, "settings", {})
    if isinstance(settings, Mapping):
        found = {name: settings.get(name, value) for name, value in found.items()}
    for name, value in found.items():
        if not _is_plain(value):
            raise RebuildError(
                f"{path_of(type(module))} cannot be stored in a checkpoint",
                found=f"the argument {name} of type {type(value).__name__}",
                wanted="numbers, texts, booleans, None, and lists and dictionaries of these",
                remedy="let the class take plain arguments and make the rest itself",
            )
    return {name: _listed(value) for name, value in found.items()}


def _made_with(module: Any, signature: inspect.Signature) -> tuple[Any, Any]:
    if "_made_with" in vars(module):
        args, kwargs = vars(module)["_made_with"]
        return args, kwargs
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    if all(p.kind in variadic for p in list(signature.parameters.values())[1:]):
        return (), {}
    raise RebuildError(
        f"{path_of(type(module))} cannot be stored in a checkpoint",
        found="a module whose arguments are not known",
        wanted="the class, or a functools.partial of it with keywords, in place of what it makes",
        remedy=f"pass that, or derive the class from {path_of(Recorded)} too",
    )


def _is_plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return isinstance(value, Plain)


def _listed(value: Any) -> Any:
    """Return tuples as lists, as they are stored in checkpoints."""
    if isinstance(value, Mapping):
        return {key: _listed(item) for key, item in value.items()}
    return [_listed(item) for item in value] if isinstance(value, list | tuple) else value


def path_of(kind: type) -> str:
    """Import path of a class."""
    return f"{kind.__module__}.{kind.__qualname__}"


def is_others(part: Any) -> bool:
    """Return whether a part of a description names a third-party class."""
    return isinstance(part, Mapping) and bool({"class_path", "plugin"} & part.keys())


def reference(module: nn.Module, hook: Hook, *, skip: int = 0) -> dict[str, Any]:
    """Return the reference to a module as stored in a checkpoint.

    Parameters
    ----------
    module : Module
        One whose arguments are known; see `genrenet.models.plain`.
    hook : {"register_networks", "register_frontends"}
        Hook in which plugins register such classes.
    skip : int >= 0
        See `arguments_of`.

    Returns
    -------
    dict
        ``name``, ``settings`` and, if the class is not one of this package, ``plugin`` or
        ``class_path``.

    Raises
    ------
    RebuildError
        A class that cannot be imported again, or arguments that are unknown or not plain.
    """
    kind: Any = type(module)
    found = ((n, e) for n, e in contributions(hook).items() if e.item.path == path_of(kind))
    name, added = next(found, (kind.__name__, None))
    if added is not None and added.plugin in BUILT_IN:
        return {"name": name, "settings": module.settings}
    settings = arguments_of(module, skip=skip)
    if added is not None:
        return {"name": name, "plugin": added.package, "settings": settings}
    if "<locals>" in kind.__qualname__:
        raise RebuildError(
            f"{path_of(kind)} cannot be stored in a checkpoint",
            found="a class that is defined inside of a function",
            wanted="a class at the top level of a module that can be imported",
        )
    return {"name": name, "class_path": path_of(kind), "settings": settings}


def trusted(path: str, trust: Iterable[str] = ()) -> bool:
    """Return whether the class of an import path may be built because a file names it.

    Parameters
    ----------
    path : str
    trust : iterable of str
        Modules or packages that the caller trusts, in addition to this package, installed plugins,
        and those in the environment variable ``GENRENET_TRUST``.
    """
    named = [name.strip() for name in os.environ.get(TRUST, "").split(",")]
    known = {*OWN, *plugin_packages(), *named, *trust} - {""}
    return any(path.startswith(f"{name}.") for name in known)


def class_of(
    part: Mapping[str, Any], hook: Hook, base: type, name: str, trust: Iterable[str] = ()
) -> Any:
    """Return the class of a `reference`.

    Parameters
    ----------
    part : mapping
        See `reference`.
    hook : {"register_networks", "register_frontends"}
        See `reference`.
    base : type
        Classes derived from it may be built if the program itself has imported them.
    name : str
        The checkpoint's name, for errors.
    trust : iterable of str
        See `trusted`. A class of which the program has built a model may always be built.

    Raises
    ------
    RebuildError
        A plugin or a module that is not installed or not trusted, or no such class in it.
    """
    what = f"'{name}' was trained with {part.get('class_path') or part['name']}"
    if "class_path" not in part:
        added = contributions(hook).get(part["name"])
        if added is None or (added.plugin in BUILT_IN) == ("plugin" in part):
            plugin = part.get("plugin")
            owner = f" of the plugin {plugin}, which is not here" if plugin else ""
            raise RebuildError(
                f"{what}{owner or ', which is not known here'}",
                wanted=", ".join(contributions(hook)) or "a plugin that adds it",
                remedy="install the plugin, and see 'genrenet plugins'",
            )
        return added.item.load()
    path = str(part["class_path"])
    found = _imported(path)
    ours = isinstance(found, type) and (issubclass(found, base) or found in _USED)
    if not ours:
        root = path.split(".")[0]
        if not trusted(path, trust):
            raise RebuildError(
                f"{what}, a class that is not genrenet's",
                found=f"the module '{path.rpartition('.')[0]}', whose code would be run",
                wanted="confirmation that you trust it",
                remedy=f"set the environment variable {TRUST}={root}, or pass trust=['{root}'] to "
                "load_model",
            )
        found = _import(path, what)
    from torch import nn

    if not isinstance(found, type) or not issubclass(found, nn.Module):
        raise RebuildError(what, found=repr(found), wanted="a class derived from torch.nn.Module")
    return found


def _imported(path: str) -> Any:
    """Return a class from the modules that have been imported already; None if not found."""
    names = path.split(".")
    for count in range(len(names) - 1, 0, -1):
        module = sys.modules.get(".".join(names[:count]))
        if module is not None:
            return _inside(module, names[count:])
    return None


def _inside(found: Any, names: Iterable[str]) -> Any:
    for name in names:
        found = getattr(found, name, None)
    return found


def _import(path: str, what: str) -> Any:
    names, reason = path.split("."), ""
    for count in range(len(names) - 1, 0, -1):
        module = ".".join(names[:count])
        try:
            found = _inside(import_module(module), names[count:])
        except Exception as error:  # a third-party module may raise anything
            reason = reason or f"{type(error).__name__}: {error}"
            continue
        if found is not None:
            return found
        reason = f"no {'.'.join(names[count:])} in the module {module}"
        break
    raise RebuildError(
        f"{what}, which cannot be imported",
        found=reason,
        remedy="install its package, or put its folder into PYTHONPATH",
    )


def rebuild(kind: Any, settings: Mapping[str, Any], name: str, *first: Any) -> Any:
    """Build a module of a third-party class, and report errors with its name.

    Raises
    ------
    RebuildError
        The class does not accept the stored arguments.
    """
    try:
        made = kind(*first, **settings)
        remember(made, first, settings)
        return made
    except Exception as error:  # a third-party class may raise anything
        raise RebuildError(
            f"'{name}' was trained with {path_of(kind)}, which cannot be made again",
            found=f"{type(error).__name__}: {error}",
            wanted=f"a class that takes {dict(settings)}",
            remedy="use the version of the class that it was trained with",
        ) from error
