import re

import pytest

from deploy.policy import exceptions
from tests.deploy.steps import ROOT

PAGES = sorted(
    [ROOT / "README.md", *(ROOT / "deploy").rglob("*.md"), *(ROOT / "docs").rglob("*.md")]
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
# Paths of this repository wherever they are named, but not what kubectl calls deploy/web.
NAMED = re.compile(
    r"(?<![\w./-])(?!deploy/(?:web|worker|delivery|beat)\b)(?:deploy|docs|leadgen|tests|dev)/[\w./<>$*-]*[\w*>]"
)
DEPLOY = (ROOT / "deploy/README.md").read_text()
CLOUDS = {"aws": "AWS", "gcp": "Google Cloud", "digitalocean": "DigitalOcean"}
GOVERNING = ("exceptions", "cost", "tagging", "secrets", "certificates", "overlays")


def anchors(path):
    heads = re.findall(r"^#+ (.+)$", path.read_text(), re.M)
    return {re.sub(r"[^\w -]", "", head).lower().replace(" ", "-") for head in heads}


def page(title):
    return re.split(r"^## ", DEPLOY.partition(f"\n## {title}\n")[2], flags=re.M)[0]


def commands(title):
    return "\n".join(re.findall(r"```sh\n(.*?)```", page(title), re.S))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path):
    for link in LINK.findall(path.read_text()):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_a_page_names_is_there(path):
    for name in NAMED.findall(path.read_text()):
        pattern = re.sub(r"<[^>]*>|\$\w+", "*", name)
        assert list(ROOT.glob(pattern)) or list(path.parent.glob(pattern)), name


@pytest.mark.parametrize("cloud", CLOUDS)
def test_cloud_pages_list_every_step_in_order(cloud):
    said = commands(CLOUDS[cloud])
    steps = [
        f"cd deploy/terraform/roots/{cloud}",
        "terraform init",
        f"overlay_env > ../../../kubernetes/overlays/{cloud}/terraform.env",
        f"deploy/kubernetes/overlays/{cloud}/settings.env",
        f"deploy/scripts/cluster/add-ons.sh {cloud}",
        "-l app.kubernetes.io/component=namespace",
        "leadgen-backup-identity",
        "deploy/ci/push.sh",
        "deploy/ci/migrate.sh && deploy/ci/rollout.sh",
        "get gateway web",
        "createsuperuser",
        "deploy/ci/smoke.sh",
    ]
    places = [said.find(step) for step in steps]
    assert -1 not in places
    assert places == sorted(places)
    assert "(docs/runbooks/destroy.md)" in page(CLOUDS[cloud])


@pytest.mark.parametrize("cloud", CLOUDS)
def test_pages_name_existing_terraform_outputs(cloud):
    outputs = (ROOT / f"deploy/terraform/roots/{cloud}/outputs.tf").read_text()
    for name in re.findall(r"terraform \S*\s?output (?:-raw )?([a-z_]+)", commands(CLOUDS[cloud])):
        assert f'output "{name}"' in outputs


def test_each_page_fits_one():
    for title in (*CLOUDS.values(), "A cluster on a laptop"):
        assert len(page(title).splitlines()) <= 60


@pytest.mark.parametrize("name", GOVERNING)
def test_deployment_documents_are_linked_from_the_first_page(name):
    assert f"(docs/{name}.md)" in DEPLOY


def test_every_runbook_is_linked_from_the_first_page():
    for path in (ROOT / "deploy/docs/runbooks").glob("*.md"):
        assert f"(docs/runbooks/{path.name})" in DEPLOY


def test_every_exception_that_a_page_names_is_in_the_register():
    register = exceptions.REGISTER.read_text(encoding="utf-8")
    for path in PAGES:
        assert set(re.findall(r"EX-\d+", path.read_text())) <= set(re.findall(r"EX-\d+", register))


def test_the_table_of_stages_names_the_steps_that_exist():
    text = (ROOT / "deploy/docs/continuous-delivery.md").read_text()
    rows = [line.split("|")[2] for line in text.splitlines() if re.match(r"\| [a-z, ]+ \| `", line)]
    for name in re.findall(r"`(\w+)`", " ".join(rows)):
        assert (ROOT / f"deploy/ci/{name}.sh").exists(), name
