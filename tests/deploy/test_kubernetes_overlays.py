import itertools
import json
import re
from fnmatch import fnmatch

from tests.deploy import manifests
from tests.deploy.manifests import OVERLAYS, ROOT

# What a deployment names by itself: the examples say the same in all overlays.
OWN = re.compile(
    r"metadata\.labels\.(owner|cost-centre|data-classification)$|remoteRef\.key$"
    r"|spec\.(hostnames|dnsNames)\.0$|data\.(EMAIL_FROM|BACKUP_RECIPIENTS)$"
)
HASH = re.compile(r"\b(leadgen|rabbitmq|database-ca|postgres-first-start)-[a-z0-9]{10}\b")


def table():
    lines = (ROOT / "deploy/docs/overlays.md").read_text().splitlines()
    rows = [line.strip("|").split("|") for line in lines if line.startswith("| ")][1:]
    for _, where, *cells in rows:
        patterns = re.findall(r"`([^`]+)`", where)
        yield patterns, dict(zip(OVERLAYS, (cell.strip() for cell in cells), strict=True))


def objects():
    """Each object's leaves by overlay; the hashes in names of ConfigMaps are left out."""
    found: dict[str, dict[str, dict[str, object]]] = {}
    for overlay in OVERLAYS:
        for one in json.loads(HASH.sub(r"\1", json.dumps(manifests.rendered(overlay)))):
            name = f"{one['kind']}/{one['metadata']['name']}"
            found.setdefault(name, {})[overlay] = dict(leaves(one))
    return found


def leaves(value, path=()):
    pairs = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else None
    )
    if pairs is None:
        yield ".".join(path), value
        return
    for key, inner in pairs:
        yield from leaves(inner, (*path, str(key)))


def differences(found):
    for name, by_overlay in found.items():
        if len(by_overlay) < len(OVERLAYS):
            yield name, ""
        for one, other in itertools.combinations(by_overlay.values(), 2):
            for path in one.keys() | other.keys():
                if one.get(path) != other.get(path) and not OWN.search(path):
                    yield name, path


def covers(pattern, name, path):
    name_pattern, _, prefix = pattern.partition(" ")
    same = path == "" if prefix == "" else fnmatch(path, f"{prefix}*")
    return same and fnmatch(name, name_pattern)


def test_overlays_differ_exactly_as_the_table_lists():
    patterns = [pattern for row, _ in table() for pattern in row]
    found = set(differences(objects()))
    untold = {d for d in found if not any(covers(pattern, *d) for pattern in patterns)}
    idle = {p for p in patterns if not any(covers(p, *d) for d in found)}
    assert (untold, idle) == (set(), set())


def test_dash_in_the_table_means_absent_in_the_overlay():
    found = objects()
    for patterns, cells in table():
        whole = [pattern for pattern in patterns if " " not in pattern]
        names = [n for n in found if any(fnmatch(n, pattern) for pattern in whole)]
        for overlay, cell in cells.items() if names else ():
            has = any(overlay in found[name] for name in names)
            assert (cell == "–") is not has, (patterns, overlay)
