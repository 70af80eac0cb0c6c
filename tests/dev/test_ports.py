import socket

from dev import ports


def test_next_free_port_replaces_a_port_in_use():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert not ports.is_free(port)
        assert ports.first_free(port) > port


def test_a_free_port_is_kept():
    port = ports.any_free()
    assert ports.first_free(port) == port


def test_several_ports_are_all_different():
    assert len(set(ports.several_free(20))) == 20
