from leadgen.edge.http.rate_counter import RateCounter


def test_posts_are_counted_by_address_and_minute():
    flood = RateCounter()
    assert [flood.count("a", now) for now in (0, 30, 59)] == [1, 2, 3]
    assert flood.count("b", 59) == 1
    assert flood.count("a", 60) == 1


def test_ipv6_addresses_of_one_network_count_as_one():
    flood = RateCounter()
    flood.count("2001:db8:1:2::1", 0)
    assert flood.count("2001:db8:1:2:ffff::9", 0) == 2
    assert flood.count("2001:db8:1:3::1", 0) == 1


def test_memory_is_bounded_and_the_quietest_are_forgotten():
    flood = RateCounter(max_entries=2)
    for address in ("a", "b", "a", "c"):
        flood.count(address, 0)
    assert flood.count("a", 0) == 3
    assert flood.count("b", 0) == 1
