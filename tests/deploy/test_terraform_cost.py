import csv
import datetime
import re

import pytest

from tests.deploy.terraform import CLOUDS, ROOT, resource_types

DOCS = ROOT / "deploy" / "docs"
SIZES = ("small", "medium", "large")
with (DOCS / "cost.csv").open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file))


def stated():
    table = re.findall(r"^\| (\w+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|$", text(), re.M)
    return {
        (cloud, size): int(sums[place].replace(",", ""))
        for cloud, *sums in table
        for place, size in enumerate(SIZES)
    }


def text():
    return (DOCS / "cost.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("size", SIZES)
def test_the_sum_in_the_table_is_the_sum_of_the_rows(cloud, size):
    ours = [row for row in ROWS if (row["cloud"], row["size"]) == (cloud, size)]
    total = sum(float(row["quantity"]) * float(row["unit_price_usd"]) for row in ours)
    assert stated()[cloud, size] == round(total)


# Made by the cluster for objects of the overlays: a load balancer, and disks for claims.
OF_THE_CLUSTER = {"Gateway", "PersistentVolumeClaim"}


def test_every_row_names_a_resource_of_terraform_or_the_cluster():
    assert {row["resource"] for row in ROWS} <= resource_types() | OF_THE_CLUSTER


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("cloud", CLOUDS)
def test_every_estimate_counts_balancer_disks_and_addresses(cloud, size):
    items = {row["item"] for row in ROWS if (row["cloud"], row["size"]) == (cloud, size)}
    shared = {"Load balancer of the gateway", "Claims of the cluster"}
    billed = {"Disks of nodes", "Public IPv4 addresses", "Traffic through NAT"}
    assert items >= (shared if cloud == "digitalocean" else shared | billed)


def test_every_price_has_a_source_and_a_check_date():
    for row in ROWS:
        assert datetime.date.fromisoformat(row["dated"])
        checked = row["checked_on"]
        assert checked == "to be checked" or datetime.date.fromisoformat(checked)
        assert (row["source"] == "estimate") == (checked == "to be checked")


def test_estimates_are_called_estimates():
    if any(row["source"] == "estimate" for row in ROWS):
        assert "These are estimates, not prices" in text()
