from tests.edge.fixtures import (  # noqa: F401 - pytest finds them here
    _no_limits,
    away,
    client,
    hurried,
    make_client,
    no_storage,
    nudges,
    path,
    reader,
    restricted_form,
    storage,
)
