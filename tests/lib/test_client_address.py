import pytest

from leadgen.lib.net.ip import UNKNOWN, client_address, network, scope_address


@pytest.mark.parametrize(
    ("forwarded", "proxies", "address"),
    [
        ("6.6.6.6", 0, "10.0.0.1"),
        ("6.6.6.6", -1, "10.0.0.1"),
        ("", 1, "10.0.0.1"),
        ("6.6.6.6, 7.7.7.7", 1, "7.7.7.7"),
        ("6.6.6.6, 7.7.7.7, 8.8.8.8", 2, "7.7.7.7"),
        ("7.7.7.7", 2, "7.7.7.7"),
        ("6.6.6.6, 7.7.7.7:51234", 1, "7.7.7.7"),
        ("[2001:db8::7]:443", 1, "2001:db8::7"),
        (" , 7.7.7.7", 1, "7.7.7.7"),
        ("[2001:db8::7]", 1, "2001:db8::7"),
        ("2001:db8::7", 1, "2001:db8::7"),
    ],
)
def test_only_entries_of_trusted_proxies_count(forwarded, proxies, address):
    assert client_address("10.0.0.1", forwarded, proxies) == address


def test_scope_without_a_peer_has_no_address():
    assert scope_address({"client": ("10.0.0.1", 5)}, "", 0) == "10.0.0.1"
    assert scope_address({"client": None}, "", 0) == ""


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("203.0.113.7", "203.0.113.0/24"),
        ("::ffff:203.0.113.7", "203.0.113.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", UNKNOWN),
        ("unix:", UNKNOWN),
        ("999.1.1.1", UNKNOWN),
    ],
)
def test_network_is_a_24_or_a_64(address, expected):
    assert network(address) == expected
