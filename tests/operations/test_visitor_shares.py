"""A proxy that hides the visitors, and a flood that is held, are reported."""

from datetime import timedelta

import pytest
from django.utils import timezone

from leadgen.capture.attribution import truncated
from leadgen.operations import doctor
from leadgen.operations.collectors import visitor_shares
from leadgen.operations.doctor import Level
from tests.factories import make_form, make_submission

pytestmark = pytest.mark.django_db(transaction=True)


def plant(count, address="203.0.113.9", reasons=(), **values):
    form = make_form()
    values.setdefault("received_at", timezone.now())
    for _ in range(count):
        make_submission(
            form,
            context={"address": truncated(address)},
            reasons=list(reasons),
            state="quarantined" if reasons else "accepted",
            **values,
        )


def finding():
    return next(found for found in doctor.examine() if found.subject == "visitors")


@pytest.mark.parametrize("address", ["10.20.0.7", "172.18.0.1", "192.168.4.4", "100.64.1.2"])
def test_one_private_network_of_all_visitors_is_reported(address):
    plant(20, address)
    assert finding().level == Level.WARN
    assert "Set TRUSTED_PROXIES" in finding().text


@pytest.mark.parametrize("address", ["::1", "fd00::7", "127.0.0.1", "::ffff:10.0.0.3"])
def test_private_addresses_are_known_in_every_spelling(address):
    plant(1, address)
    assert visitor_shares.read_shares().private == 1


def test_visitors_of_many_private_networks_are_an_intranet():
    for place in range(4):
        plant(6, f"10.20.{place}.7")
    assert finding().level == Level.OK


def test_submissions_held_as_a_flood_are_reported():
    plant(16)
    plant(5, reasons=["flood"])
    assert finding().level == Level.WARN
    assert "24% of the last 21 submissions are held as a flood" in finding().text


def test_public_visitors_few_or_old_submissions_are_fine():
    plant(19, "10.20.0.7")
    assert finding().level == Level.OK
    plant(40, "10.20.0.7", received_at=timezone.now() - timedelta(hours=2))
    plant(30)
    assert finding().level == Level.OK


def test_metrics_show_the_shares(client):
    plant(1, "10.20.0.7")
    plant(1, reasons=["flood"])
    text = client.get("/metrics").content.decode()
    assert "leadgen_recent_submissions 2.0" in text
    assert "leadgen_recent_private_ratio 0.5" in text
    assert "leadgen_recent_flood_ratio 0.5" in text
