from ipaddress import ip_address

import pytest
from django.core.exceptions import ImproperlyConfigured

from leadgen.lib.net.addresses import allowed_networks, is_public, refusal


def is_permitted(address, port, *entries):
    return not refusal(ip_address(address), port, allowed_networks(entries))


@pytest.mark.parametrize(
    "entry",
    [
        "10.1.2.0/24",
        "10.1.2.3/32:8443",
        "127.0.0.1/32:1",
        "0.0.0.0/0:65535",
        "fd00:1::/64",
        "::1/128",
        "[fd00:1::/64]:8443",
    ],
)
def test_entry_is_parsed_and_written_the_same(entry):
    assert [str(network) for network in allowed_networks([entry])] == [entry]


def test_address_without_prefix_is_a_network_of_one():
    entries = allowed_networks(["10.1.2.3", "10.1.2.3:8443", "[::1]:8443", "[::1]"])
    assert [str(entry) for entry in entries] == [
        "10.1.2.3/32",
        "10.1.2.3/32:8443",
        "[::1/128]:8443",
        "::1/128",
    ]


@pytest.mark.parametrize(
    "entry",
    [
        "receiver.example.com",
        "10.1.2.3/24",
        "10.1.2.0/33",
        "10.1.2",
        "10.1.2.0/24:",
        "10.1.2.0/24:0",
        "10.1.2.0/24:65536",
        "10.1.2.0/24:-1",
        "10.1.2.0/24:https",
        "10.1.2.0/24:８０",
        "010.1.2.3/32",
        "[fd00::/64]:",
        "[fd00::/64",
        "fd00::/64]:80",
        "fe80::1%eth0",
        "*",
        "10.1.2.0/24 10.1.3.0/24",
    ],
)
def test_entry_that_is_no_network_is_refused_by_name(entry):
    with pytest.raises(
        ImproperlyConfigured, match=r"OUTBOUND_ALLOWED_NETWORKS: .*write it such as"
    ):
        allowed_networks(["10.0.0.0/8", entry])


@pytest.mark.parametrize(
    ("address", "port", "permitted"),
    [
        ("10.1.2.3", 80, True),
        ("10.1.2.3", 443, True),
        ("10.1.2.3", 8443, False),
        ("10.1.3.3", 80, False),
        ("10.9.9.9", 8443, True),
        ("10.9.9.9", 80, False),
        ("fd00:1::5", 443, True),
        ("fd00:2::5", 443, False),
        ("64:ff9b::10.1.2.3", 443, True),
        ("64:ff9b::10.1.3.3", 443, False),
    ],
)
def test_entry_permits_its_network_and_ports_only(address, port, permitted):
    entries = ["10.1.2.0/24", "10.9.9.9/32:8443", "fd00:1::/64"]
    assert is_permitted(address, port, *entries) is permitted


@pytest.mark.parametrize(
    "address",
    ["0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255", "::", "::ffff:10.1.2.3", "ff02::1"],
)
def test_no_entry_permits_an_address_of_many_hosts(address):
    assert "can never be called" in refusal(
        ip_address(address), 80, allowed_networks(["0.0.0.0/0", "::/0"])
    )


def test_no_entry_permits_an_address_with_a_zone():
    assert not is_permitted("fe80::1%eth0", 80, "fe80::/10")
    assert is_permitted("fe80::1", 80, "fe80::/10")


def test_refusal_names_an_entry_that_permits_it():
    for address, port in (("10.1.2.3", 80), ("10.1.2.3", 8443), ("::1", 443), ("fd00::1", 99)):
        reason = refusal(ip_address(address), port, ())
        entry = reason.split(" add ")[1].split(" to ")[0]
        assert is_permitted(address, port, entry)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("9.255.255.255", True),
        ("11.0.0.0", True),
        ("100.63.255.255", True),
        ("100.128.0.0", True),
        ("172.15.255.255", True),
        ("172.32.0.0", True),
        ("192.0.1.0", True),
        ("198.17.255.255", True),
        ("198.20.0.0", True),
        ("223.255.255.255", True),
        ("224.0.0.0", False),
        ("2001:200::1", True),
        ("2001:1ff::1", False),
        ("2003::1", True),
        ("3fff:1000::1", True),
        ("3fff:fff::1", False),
        ("4000::1", False),
        ("1fff::1", False),
        ("64:ff9b::8.8.8.8", True),
        ("64:ff9b::192.168.1.1", False),
        ("64:ff9b:0:0:0:1::", False),
    ],
)
def test_public_ranges_follow_the_iana_registry(address, public):
    assert is_public(ip_address(address)) is public


@pytest.mark.parametrize(
    ("entry", "covered"),
    [
        ("0.0.0.0/0", ["169.254.169.254", "100.100.100.200", "192.0.0.192", "168.63.129.16"]),
        ("169.254.0.0/16:80", ["169.254.169.254"]),
        ("::/0", ["fd00:ec2::254", "fd20:ce::254"]),
        ("10.0.0.0/8", []),
    ],
)
def test_entry_lists_the_metadata_addresses_it_covers(entry, covered):
    (network,) = allowed_networks([entry])
    assert [str(address) for address in network.metadata()] == covered
