"""Each test of the contract runs against every model, each class with one at a time."""

import pytest
from contract import MODELS
from serving import serve


@pytest.fixture(params=MODELS, ids=str, scope="class")
def model(request):
    return request.param


@pytest.fixture
def served(model):
    with serve(model.name) as served:
        yield served
