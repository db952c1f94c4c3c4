"""MatchSpecs against names of installed packages."""

import pytest
import rattler
from hypothesis import given
from hypothesis import strategies as st
from scupi_provision.modules.conda.specs import CondaPackage, installed_packages, missing_specs, package_of, parse_spec

NUMPY = CondaPackage("numpy", "1.26.4", "py311h64a7726_0")
CUDA = CondaPackage("pytorch", "2.6.0", "cuda126_mkl_py311_301")

FITS = [
    (NUMPY, "numpy"), (NUMPY, "NumPy"), (NUMPY, "numpy *"), (NUMPY, "numpy=1.26"), (NUMPY, "numpy=1"),
    (NUMPY, "numpy 1.26.*"), (NUMPY, "numpy=1.26.4"), (NUMPY, "numpy==1.26.4"), (NUMPY, "numpy==1.26.4.0"),
    (NUMPY, "numpy 1.26.4"), (NUMPY, "numpy>=1.26,<2"), (NUMPY, "numpy >=1.26, <2"), (NUMPY, "numpy<1|>1.26"),
    (NUMPY, "numpy=1.25|1.26.4"), (NUMPY, "numpy~=1.26.0"), (NUMPY, "numpy!=1.26.3"), (NUMPY, "numpy!=1.25.*"),
    (NUMPY, "conda-forge::numpy"), (NUMPY, "conda-forge/linux-64::numpy>1"), (NUMPY, "numpy=1.26.4=py311h64a7726_0"),
    (NUMPY, "numpy=1.26.4=py311*"), (NUMPY, "numpy 1.26.* *_0"), (NUMPY, "numpy[version='>=1,<2', build=py311*]"),
    (NUMPY, 'numpy[version=">=1"]'), (NUMPY, "numpy=1.*.4"), (CUDA, "pytorch=2.6.0=*cuda*"), (CUDA, "pytorch * *cuda*"),
    (CUDA, "pytorch[build='*cuda*']"), (CUDA, "pytorch >=2.6a0,<2.7.0a0"),
]  # fmt: skip
DOES_NOT = [
    (NUMPY, "numpy-financial"), (NUMPY, "numpy=1.2"), (NUMPY, "numpy 1.26"), (NUMPY, "numpy==1.26.*"),
    (NUMPY, "numpy>=2"), (NUMPY, "numpy<1.26.4"), (NUMPY, "numpy~=1.25.0"), (NUMPY, "numpy~=1.26.5"),
    (NUMPY, "numpy!=1.26.*"), (NUMPY, "numpy=1.26.4=py310*"), (NUMPY, "numpy 1.26.* py310*"),
    (NUMPY, "numpy=1.26=py311*"), (NUMPY, "numpy[version='>=2']"), (CUDA, "pytorch=2.6.0=cpu*"),
    (NUMPY, "numpy>1.26,!=1.26.4"),
]  # fmt: skip


@pytest.mark.parametrize(("package", "spec"), FITS)
def test_fits(package, spec):
    assert parse_spec(spec).allows(package)


@pytest.mark.parametrize(("package", "spec"), DOES_NOT)
def test_does_not_fit(package, spec):
    assert not parse_spec(spec).allows(package)


@pytest.mark.parametrize(
    "text",
    ["", "numpy>=", "numpy=>1", "numpy 1 2 3", "numpy[md5=abc]", "numpy[version]", "numpy==1,", "-n x", "numpy>=1 <2",
     "numpy^1", "numpy(1|2)", "numpy~=1.2+cpu", "$(reboot)", "a;b", "numpy==1..2"],
)  # fmt: skip
def test_what_is_none_is_refused(text):
    with pytest.raises(ValueError, match=r"\w"):
        parse_spec(text)


_versions = st.lists(st.sampled_from(["0", "1", "2", "10", "1a", "3rc2", "post1", "2dev"]), min_size=1, max_size=3).map(
    ".".join
)
_operators = st.sampled_from(["==", ">=", "<=", ">", "<", "!=", "="])


@given(_operators, _versions, _versions)
def test_conditions_mean_what_another_implementation_takes_them_for(operator, wanted, have):
    ours = parse_spec(f"x{operator}{wanted}").allows(CondaPackage("x", have, "0"))
    assert ours == rattler.VersionSpec(f"{operator}{wanted}").matches(rattler.Version(have))


@given(_versions, _versions)
def test_opposites_exclude_each_other(wanted, have):
    package = CondaPackage("x", have, "0")
    for one, other in ((">=", "<"), (">", "<="), ("==", "!=")):
        assert parse_spec(f"x{one}{wanted}").allows(package) is not parse_spec(f"x{other}{wanted}").allows(package)


@given(_versions, _versions, _versions)
def test_comma_is_and_and_bar_is_or(lower, upper, have):
    package = CondaPackage("x", have, "0")
    above, below = (parse_spec(f"x{text}").allows(package) for text in (f">={lower}", f"<{upper}"))
    assert parse_spec(f"x>={lower},<{upper}").allows(package) is (above and below)
    assert parse_spec(f"x>={lower}|<{upper}").allows(package) is (above or below)


def test_names_of_records_are_taken_apart_from_the_right():
    paths = [
        f"/e/conda-meta/{name}.json" for name in ("numpy-1.26.4-py311_0", "ca-certificates-2024.7.4-hbcca054_0", "x")
    ]
    assert installed_packages(paths) == {
        "numpy": CondaPackage("numpy", "1.26.4", "py311_0"),
        "ca-certificates": CondaPackage("ca-certificates", "2024.7.4", "hbcca054_0"),
    }
    assert package_of("ca-certificates-2024.7.4-hbcca054_0").full_name == "ca-certificates-2024.7.4-hbcca054_0"


def test_what_is_missing_is_told_in_order():
    specs = [parse_spec(text) for text in ("pip", "numpy>=2", "numpy<2")]
    assert missing_specs(specs, {"numpy": NUMPY}) == specs[:2]


def test_a_version_that_conda_cannot_order_fits_itself_only():
    odd = CondaPackage("x", "1.0,b", "0")
    assert not parse_spec("x>=1").allows(odd)
    assert parse_spec("x").allows(odd)
