import numpy as np
import pytest

from specbridge_tools.ranking.training.fusion import fit_fusion


def drawn(weights, n_queries=600, n_candidates=12, seed=0):
    rng = np.random.default_rng(seed)
    for _ in range(n_queries):
        features = rng.normal(size=(n_candidates, 2)) * (0.3, 2.0) + (0.2, -40.0)
        logits = features @ weights
        chance = np.exp(logits - logits.max())
        yield features, int(rng.choice(n_candidates, p=chance / chance.sum()))


@pytest.mark.slow
@pytest.mark.parametrize("weights", [(8.0, 1.0), (4.0, 0.5)])
def test_the_weights_that_made_the_queries_are_found(weights):
    found = fit_fusion(list(drawn(np.array(weights))))
    assert found == pytest.approx(weights, rel=0.2)


def test_what_tells_nothing_weighs_nothing():
    cosine, fragment = fit_fusion(list(drawn(np.array([0.0, 1.0]))))
    assert abs(cosine) < 0.4
    assert fragment == pytest.approx(1.0, rel=0.2)


def test_no_queries_are_refused():
    with pytest.raises(ValueError, match="no queries"):
        fit_fusion([])
