"""The packages of examples/, installed."""

import pytest

from tests.helpers.plugin_packages import examples, install_example


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """Folder with all example packages, as pip would leave them."""
    site = tmp_path_factory.mktemp("site")
    for folder in examples().values():
        install_example(folder, site)
    return site
