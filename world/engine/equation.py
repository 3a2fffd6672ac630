"""Equations of the model, written once over records and compiled into as few loops as possible.

An equation is a function of records (labs, segments, parameters: whatever has attributes) whose body
is straight-line arithmetic. With NumPy, and with CuPy, the body runs as it stands, a pass for each
operation. Where numba is at hand, :func:`equation` reads the body as a list of steps and makes a loop
over all elements of each stretch between exponentials, logarithms and powers. These stay NumPy's, for the
compiled ones differ in the last bit; whatever else an equation may use has but one result, so that
both ways give the same numbers, bit for bit but for the sign of zero.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import math
import textwrap
from collections.abc import Callable
from functools import lru_cache, wraps
from itertools import count
from operator import pow
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from baimo.world.engine.arrays import clip, ratio, where
from baimo.world.engine.kernels import in_use, kept, numba, whole

#: Functions that loops compute, and those that NumPy computes between loops.
INSIDE = {np.maximum, np.minimum, np.sqrt, where, ratio, clip}
BETWEEN = {np.exp, np.log, np.log1p, np.log10, np.power}
_SIGNS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.BitAnd, ast.BitOr, ast.USub, ast.Invert)
_COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
_NUMBERS = {float: "d", np.float64: "d", int: "l", np.int64: "l", bool: "?", np.bool_: "?"}
#: How many kinds and shapes of arguments of a loop are remembered.
FORMS = 256
#: Elements that cost as much as a call of NumPy, and from how many in all operations a loop pays.
CALL, PAYS = 1024, 16384

if numba is not None:

    @numba.extending.overload(where)
    def _where_of_one(mask, yes, no):
        return lambda mask, yes, no: yes if mask else no

    @numba.extending.overload(ratio)
    def _ratio_of_one(numerator, denominator):
        return lambda numerator, denominator: 0.0 if denominator == 0.0 else numerator / denominator

    @numba.extending.overload(clip)
    def _clip_of_one(value, low, high):
        return lambda value, low, high: np.minimum(np.maximum(value, low), high)


def equation(function: Callable) -> Callable:
    """Compile a straight-line equation over records whose arrays broadcast to ``(..., worlds, rows)``.

    Its parameters are records, arrays or numbers, given by position. Its body names values and returns one or
    several. It may use ``+ - * / **``, comparisons, ``& | ~``, the functions in ``INSIDE`` and ``BETWEEN``, attributes
    and constant items of records (``lab.price``, ``lab.layers[1]``), numbers that its module names, and
    functions of this kind. Truth values are joined or multiplied, never added.

    Raises
    ------
    TypeError
        When the equation is defined, for whatever else stands in it.
    """
    steps, loops = _Steps(function), {}
    staged = function if numba is None else steps.staged(loops)

    @wraps(function)
    def either(*records: Any) -> Any:
        return staged(*records) if in_use() else function(*records)

    either.loops = loops
    return either


class _Steps:
    """Equation as a sequence of assignments, each from values before it.

    While it is read, a value is an expression in names and numbers, or the text of what a record holds
    (``"lab.price"``), which becomes a leaf where it is computed with.

    Attributes
    ----------
    leaves : dict
        Names of what is read from the records.
    steps : dict
        ``{name: expression}``, or ``{name: (function, arguments)}`` for what is computed between loops.
    results : list of str
        Names of what comes back.
    """

    def __init__(self, function: Callable):
        self.function, self.leaves, self.steps, self.numbered = function, {}, {}, count()
        self.held, self.reading = {each: each for each in inspect.signature(function).parameters}, []
        parameters = inspect.signature(function).parameters
        self.results = [self._name(each).id for each in self._body(function, {each: each for each in parameters})]

    def _body(self, function: Callable, names: dict[str, Any]) -> list[ast.expr]:
        """Results of a function after names were substituted by values."""
        if any(each.default is not each.empty for each in inspect.signature(function).parameters.values()):
            raise TypeError(f"{function.__qualname__}: an equation has no defaults")
        *lines, last = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0].body
        for line in lines:
            match line:
                case ast.Assign([ast.Name(label)], value):
                    names |= self._named({label: value}, names, function)
                case ast.Assign([ast.Tuple(labels)], ast.Tuple(values)) if len(labels) == len(values):
                    named = {each.id: value for each, value in zip(labels, values, strict=True)}
                    names |= self._named(named, names, function)
                case ast.Expr(ast.Constant(str())):
                    pass
                case _:
                    _refuse(line, function)
        match last:
            case ast.Return(ast.Tuple(values)):
                return [self._leaf(self._value(each, names, function)) for each in values]
            case ast.Return(ast.expr() as value):
                return [self._leaf(self._value(value, names, function))]
        _refuse(last, function)

    def _named(self, values: dict[str, ast.expr], names: dict[str, Any], function: Callable) -> dict[str, Any]:
        found = {label: self._value(value, names, function) for label, value in values.items()}
        return {label: each if isinstance(each, str) else self._name(each, label) for label, each in found.items()}

    def _leaf(self, value: Any) -> ast.expr:
        """Name of an input read off a record; an expression unchanged."""
        if not isinstance(value, str):
            return value
        return ast.Name(self.leaves.setdefault(self._read(value), self._read(value)))

    def _read(self, text: str) -> str:
        """Name of a value that is read once, and its owner before it."""
        if text not in self.held:
            cut = max(text.rfind("."), text.rfind("["))
            owner, self.held[text] = self._read(text[:cut]), f"_{len(self.held)}"
            self.reading.append(f"{self.held[text]} = {owner}{text[cut:]}")
        return self.held[text]

    def _name(self, value: ast.expr, label: str = "value") -> ast.expr:
        """Name or number of a value, which becomes a step unless it has one."""
        if isinstance(value, (ast.Name, ast.Constant)):
            return value
        return self._step(label, value)

    def _step(self, label: str, value: Any) -> ast.Name:
        name = f"{label}_{next(self.numbered)}"
        self.steps[name] = value
        return ast.Name(name)

    def _value(self, node: ast.expr, names: dict[str, Any], function: Callable) -> Any:
        def of(each: ast.expr) -> ast.expr:
            return self._leaf(self._value(each, names, function))

        match node:
            case ast.Name(label) if label in names:
                return names[label]
            case ast.Name(label) if isinstance(number := function.__globals__.get(label), (int, float)):
                return ast.Constant(number)
            case ast.Constant(int() | float()):
                return node
            case ast.Attribute(record, field) if isinstance(text := self._value(record, names, function), str):
                return f"{text}.{field}"
            case ast.Subscript(record, item) if isinstance(text := self._value(record, names, function), str):
                if isinstance(item := of(item), ast.Constant):
                    return f"{text}[{item.value}]"
            case ast.BinOp(base, ast.Pow() as sign, power):
                if isinstance(power, ast.Constant) and power.value == 2 and isinstance(power.value, int):
                    return ast.BinOp(of(base), sign, power)
                return self._step("power", (pow, [self._name(of(base)), self._name(of(power))]))
            case ast.BinOp(left, sign, right) if isinstance(sign, _SIGNS):
                return ast.BinOp(of(left), sign, of(right))
            case ast.UnaryOp(sign, operand) if isinstance(sign, _SIGNS):
                return ast.UnaryOp(sign, of(operand))
            case ast.Compare(left, [sign], [right]) if isinstance(sign, _COMPARISONS):
                return ast.Compare(of(left), [sign], [of(right)])
            case ast.Call(_, _, []):
                return self._call(node, names, function)
        _refuse(node, function)

    def _call(self, node: ast.Call, names: dict[str, Any], function: Callable) -> ast.expr:
        given = [self._value(each, names, function) for each in node.args]
        match node.func:
            case ast.Name(label) if label not in names:
                called = function.__globals__.get(label)
            case ast.Attribute(ast.Name("np"), label):
                called = getattr(np, label)
            case _:
                _refuse(node, function)
        if called in INSIDE:
            return ast.Call(ast.Name(called.__name__), [self._leaf(each) for each in given], [])
        if called in BETWEEN:
            return self._step(label, (called, [self._name(self._leaf(each)) for each in given]))
        if inspect.isfunction(called):
            inner, given = (
                inspect.unwrap(called),
                [each if isinstance(each, str) else self._name(each) for each in given],
            )
            results = self._body(inner, dict(zip(inspect.signature(inner).parameters, given, strict=True)))
            if len(results) == 1:
                return results[0]
        _refuse(node, function)

    def staged(self, loops: dict[str, Callable]) -> Callable:
        """Evaluate by loops, with NumPy functions between them; on arrays of another kind as written."""
        given, there = ", ".join(inspect.signature(self.function).parameters), set(self.leaves)
        lines = [f"def staged({given}):", *self.reading]
        lines += [f"if not _kinds.issuperset(({''.join(f'{each}.__class__, ' for each in self.leaves)})):"]
        lines += [f" return _whole({given})"]
        space = {"_whole": self.function, "_kinds": {np.ndarray, *_NUMBERS}}

        def loop(names: list[str]) -> None:
            if wanted := [each for each in dict.fromkeys(names) if each in self.steps and each not in there]:
                run = space[f"loop{len(space)}"] = _Loop(self, wanted, loops)
                lines.append(f"{', '.join(wanted)}, = loop{len(space) - 1}({', '.join(run.inputs)})")
                there.update(wanted)

        for name, step in self.steps.items():
            if isinstance(step, tuple):
                called, arguments = step[0], [ast.unparse(each) for each in step[1]]
                for each in arguments:
                    loop([each])
                space[called.__name__] = called
                lines.append(f"{name} = {called.__name__}({', '.join(arguments)})")
                there.add(name)
        loop(self.results)
        return self.defined("staged", "\n ".join([*lines, f"return {', '.join(self.results)}"]), space)

    def defined(self, name: str, text: str, space: dict[str, Any]) -> Callable:
        """Function from its text, as if of the file of the equation, where numba caches it."""
        space = {each.__name__: each for each in INSIDE} | {"__name__": self.function.__module__} | space
        exec(compile(text, inspect.getfile(self.function), "exec"), space)
        return space[name]


def _refuse(node: ast.AST, function: Callable) -> NoReturn:
    raise TypeError(f"{function.__qualname__}: an equation is straight-line arithmetic, without `{ast.unparse(node)}`")


def _slice(steps: _Steps, wanted: list[str]) -> tuple[list[str], list[str]]:
    """Lines that some values depend on, and the leaves and values between loops that these start from."""
    lines, needed, given = [], set(wanted), list(steps.leaves)
    for name, step in reversed(steps.steps.items()):
        if isinstance(step, tuple):
            given.append(name)
        elif name in needed:
            lines.insert(0, f"{name} = {ast.unparse(step)}")
            needed |= {each.id for each in ast.walk(step) if isinstance(each, ast.Name)}
    return lines, [each for each in given if each in needed]


class _Loop:
    """Part of an equation as a loop over elements, compiled for each kind of arguments."""

    def __init__(self, steps: _Steps, wanted: list[str], loops: dict[str, Callable]):
        self.steps, self.wanted, self.loops = steps, wanted, loops
        self.lines, self.inputs = _slice(steps, wanted)
        lines = [f"def plain({', '.join(self.inputs)}):", *self.lines, f"return {', '.join(wanted)},"]
        self.plain = steps.defined("plain", "\n ".join(lines), {})
        kinds = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call)
        self.operations = sum(isinstance(each, kinds) for each in ast.walk(ast.parse("\n".join(self.lines))))
        self.form = lru_cache(maxsize=FORMS)(self._form)

    def __call__(self, *given: Any) -> tuple:
        alike = [(each.dtype.char, each.shape) if each.__class__ is np.ndarray else each.__class__ for each in given]
        form = self.form(tuple(alike))
        if form is None:
            return self.plain(*given)
        loop, layers, shape, kinds = form
        out = tuple(np.empty(shape, kind) for kind in kinds)
        inputs = [whole(each).reshape(layer) if layer else each for each, layer in zip(given, layers, strict=True)]
        loop(*[each.reshape((1,) * (3 - len(shape)) + shape) for each in out], *inputs)
        return out

    def _form(self, given: tuple) -> tuple | None:
        """Loop for arguments like these, their shapes in it, and shape and types of the results."""
        shape = np.broadcast_shapes(*[each[1] for each in given if each.__class__ is tuple])
        if not 2 <= len(shape) <= 3 or self.operations * (CALL + math.prod(shape)) < PAYS:
            return None
        kinds, layers = zip(*[_as_layers(each, shape[-1]) for each in given], strict=True)
        # What comes back is seen from a few elements of each argument.
        few = [
            np.ones([min(size, 2) for size in layer or ()], kind[1]) for kind, layer in zip(kinds, layers, strict=True)
        ]
        with np.errstate(all="ignore"):
            results = self.plain(*few)
        if len({each.shape for each in results}) > 1:
            raise TypeError(f"{self.steps.function.__name__}: results of one equation have one shape")
        key = "_".join((*self.wanted, *kinds))
        if key not in self.loops:
            self.loops[key] = self._compiled(kinds)
        return self.loops[key], layers, shape, [each.dtype for each in results]

    def _compiled(self, kinds: tuple[str, ...]) -> Callable:
        """Compiled loop for arguments of some kinds, cached beside the file of the equation.

        Its name tells all that it depends on: the steps, the types, and this file.
        """
        identity = repr((self.lines, self.inputs, self.wanted, kinds)).encode() + Path(__file__).read_bytes()
        name = f"{self.steps.function.__name__}_{hashlib.sha256(identity).hexdigest()[:16]}"
        here = "[k if {0}.shape[0] > 1 else 0, i if {0}.shape[1] > 1 else 0{1}]"
        given = ["a" + each if kind[0] != "s" else each for each, kind in zip(self.inputs, kinds, strict=True)]
        lines = [f"def {name}({', '.join((*(f'out{each}' for each in self.wanted), *given))}):"]
        lines += [f" for k in range(out{self.wanted[0]}.shape[0]):", f"  for i in range(out{self.wanted[0]}.shape[1]):"]
        element = []
        for each, array, kind in zip(self.inputs, given, kinds, strict=True):
            if kind[0] == "n":
                lines.append(f"   {each} = {array}" + here.format(array, ", 0"))
            elif kind[0] == "w":
                lines.append(f"   row{each} = {array}" + here.format(array, ""))
                element.append(f"{each} = row{each}[j]")
        lines += [f"   row{each} = out{each}[k, i]" for each in self.wanted]
        lines.append(f"   for j in range(row{self.wanted[0]}.size):")
        lines += [
            f"    {each}" for each in (*element, *self.lines, *(f"row{each}[j] = {each}" for each in self.wanted))
        ]
        return kept(numba.njit, self.steps.defined(name, "\n".join(lines), {}), error_model="numpy")


def _as_layers(given: Any, rows: int) -> tuple[str, tuple | None]:
    """Kind of an argument and its shape in a loop; None for a number.

    ``w`` is a three-dimensional array that has rows, ``n`` one that has none, ``s`` a number; the type follows.
    """
    if given.__class__ is not tuple:
        return f"s{_NUMBERS[given]}", None
    kind, shape = given
    return f"{'w' if shape[-1:] == (rows,) else 'n'}{kind}", (1,) * (3 - len(shape)) + shape
