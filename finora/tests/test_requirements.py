"""What is installed is locked: the short list of pyproject.toml, and all that it pulls in, by hash.

Nothing here asks a network: what a package pulls in is read from its installed metadata.
"""

import ast
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
RUNTIME = [Requirement(line) for line in PROJECT["project"]["dependencies"]]
GROUPS = PROJECT["dependency-groups"]
DEVELOPMENT = [
    Requirement(line)
    for group in ("bench", "dev")
    for line in GROUPS[group]
    if line != {"include-group": "bench"}
]
OURS = ("finora", "customers", "sales")  # of what we run
LISTS = {"requirements.txt": RUNTIME, "requirements-dev.txt": RUNTIME + DEVELOPMENT}


def locked(name):
    """The lock's requirements, read strictly: a line that is no hashed pin fails."""
    text = re.sub(r"(?m)^ *#.*\n", "", (ROOT / name).read_text())
    entries = []
    for line in text.replace("\\\n", "").splitlines():
        pin, *hashes = re.split(r" +--hash=", line)
        assert hashes, f"without a hash: {line}"
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in hashes)
        entries.append(Requirement(pin))
    assert all(is_pinned(entry) for entry in entries)
    return entries


def is_pinned(requirement):
    [specifier] = requirement.specifier
    return specifier.operator == "==" and "*" not in specifier.version and requirement.url is None


def here(requirements):
    """Name → version of those that this Python on this machine takes."""
    taken = [r for r in requirements if r.marker is None or r.marker.evaluate()]
    pins = {canonicalize_name(r.name): next(iter(r.specifier)).version for r in taken}
    assert len(pins) == len(taken), "one package has two pins"
    return pins


def pulled_in(requirements):
    """(name, extras) of these and of all that they need, by what is installed."""
    found, waiting = set(), [(r.name, frozenset(r.extras)) for r in requirements]
    while waiting:
        name, extras = asked = waiting.pop()
        if asked in found:
            continue
        found.add(asked)
        for line in metadata.requires(name) or ():
            needed = Requirement(line)
            # The empty extra stands for what is needed without any.
            if needed.marker is None or any(
                needed.marker.evaluate({"extra": extra}) for extra in extras | {""}
            ):
                waiting.append((canonicalize_name(needed.name), frozenset(needed.extras)))
    return {(canonicalize_name(name), extras) for name, extras in found}


@pytest.mark.parametrize("requirement", LISTS["requirements-dev.txt"], ids=str)
def test_the_short_list_pins_and_gives_a_reason(requirement):
    assert is_pinned(requirement)
    text = (ROOT / "pyproject.toml").read_text()
    assert re.search(rf'(?m)^  "{re.escape(str(requirement))}", +# \S', text)


@pytest.mark.parametrize("name", LISTS)
def test_the_lock_pins_what_the_short_list_pins(name):
    pins = here(locked(name))
    assert here(LISTS[name]).items() <= pins.items()


@pytest.mark.parametrize("name", LISTS)
def test_the_lock_holds_all_that_is_pulled_in_and_nothing_else(name):
    assert here(locked(name)).keys() == {each for each, _ in pulled_in(LISTS[name])}


@pytest.mark.parametrize("name", LISTS)
def test_what_is_needed_with_an_extra_is_pinned_with_it(name):
    """Or pip meets its newest release first, which has no hash here, and stops."""
    pinned = {canonicalize_name(r.name): r.extras for r in locked(name)}
    for each, extras in pulled_in(LISTS[name]):
        assert extras <= pinned[each], each


def test_both_locks_agree_and_are_what_is_installed():
    pins = here(locked("requirements-dev.txt"))
    assert here(locked("requirements.txt")).items() <= pins.items()
    assert pins == {name: metadata.version(name) for name in pins}


@pytest.mark.parametrize("name", LISTS)
def test_the_lock_names_no_place_to_fetch_from(name):
    assert not re.search(r"://|(?m:^ *-)(?!-hash=)", (ROOT / name).read_text())


def test_what_the_code_imports_is_on_the_short_list():
    """What comes along with another package may be gone at the next lock."""
    givers = metadata.packages_distributions()
    names = {
        name: {canonicalize_name(requirement.name) for requirement in requirements}
        for name, requirements in LISTS.items()
    }
    missing = set()
    for path in [found for name in OURS for found in ROOT.glob(f"{name}/**/*.py")]:
        for_development = {"tests", "bench"} & set(path.relative_to(ROOT).parts)
        listed = names["requirements-dev.txt" if for_development else "requirements.txt"]
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                modules = [node.module or ""]
            else:
                continue
            for module in {name.partition(".")[0] for name in modules}:
                if module in sys.stdlib_module_names or module in OURS:
                    continue
                if not listed & {canonicalize_name(giver) for giver in givers.get(module, ())}:
                    missing.add((str(path.relative_to(ROOT)), module))
    assert not missing
