import pytest

from leadgen.forms.format.languages import canonical, is_known, is_right_to_left


@pytest.mark.parametrize(
    ("tag", "written"),
    [
        ("ar_EG", "ar-EG"),
        (" DE-at ", "de-AT"),
        ("zh_hant_tw", "zh-Hant-TW"),
        ("iw", "he"),
        ("ES-419", "es-419"),
        ("ca-VALENCIA", "ca-valencia"),
        ("English", "English"),
        ("", ""),
    ],
)
def test_tag_is_written_as_bcp_47_does(tag, written):
    assert canonical(tag) == written


@pytest.mark.parametrize("tag", ["en", "de-AT", "zh-Hant", "sr-Latn-RS", "es-419", "ckb", "sq-XK"])
def test_known_language_is_accepted(tag):
    assert is_known(tag)


@pytest.mark.parametrize(
    "tag", ["English", "", "xx", "deu", "en-ZZ", "de-Xxxx", "e", "en-", "en-US-x"]
)
def test_unknown_language_is_refused(tag):
    assert not is_known(canonical(tag))


@pytest.mark.parametrize(
    "tag",
    ["ar", "ar_EG", "ckb", "dv", "fa", "he", "iw", "nqo", "ps", "sd", "syr", "ug", "ur", "yi",
     "ku-Arab", "pa-PK", "pa-Arab", "ff-Adlm", "uz-AF", "ks", "AR"],
)  # fmt: skip
def test_language_is_written_from_right_to_left(tag):
    assert is_right_to_left(tag)


@pytest.mark.parametrize(
    "tag", ["en", "de", "ku", "pa", "ug-Latn", "sd-Deva", "ks-Deva", "ar-Latn", "uz", "English", ""]
)
def test_language_is_written_from_left_to_right(tag):
    assert not is_right_to_left(tag)
