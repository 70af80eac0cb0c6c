"""Language tags (BCP 47): canonical form, known subtags, direction of writing."""

import re

import pycountry


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TAG = re.compile(
    r"(?P<language>[a-z]{2,3})(?:-(?P<script>[a-z]{4}))?(?:-(?P<region>[a-z]{2}|[0-9]{3}))?"
    r"(?P<variants>(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)",
    re.IGNORECASE,
)
# IANA's subtag registry: the preferred values of withdrawn codes.
_PREFERRED = {"iw": "he", "ji": "yi", "in": "id", "jw": "jv", "mo": "ro"}
# Scripts with the direction right to left (ISO 15924 and Unicode's Bidi_Class R and AL).
_RIGHT_TO_LEFT_SCRIPTS = _codes(
    "Adlm Arab Aran Armi Avst Chrs Cprt Elym Gara Hatr Hebr Hung Khar Lydi Mand Mani Mend "
    "Merc Mero Narb Nbat Nkoo Orkh Palm Phli Phlp Phnx Prti Rohg Samr Sarb Sogd Sogo Syrc "
    "Syre Syrj Syrn Thaa Todr Yezi"
)
# CLDR's likely subtags: languages that are written from right to left when no script is given.
_RIGHT_TO_LEFT = _codes(
    "abv acm acq acw acx acy adf aeb aec afb ajp apc apd ar arc arq ars ary arz auz avl ayh "
    "ayl ayn azb bal bcc bft bgn bgp bqi brh ckb dv ecy fa glk hac haz he hno khw kmz ks lad "
    "lki lrc luz mvy mzn nqo ota pes pga phr pnb prd prs ps rhg scl sd sdf sdh shu skr ssh "
    "syr trw ug ur wni yi zdj"
)
_RIGHT_TO_LEFT_REGIONS = _codes(
    "az-IQ az-IR ha-CM ha-SD kk-AF kk-CN kk-IR kk-MN ku-IQ ku-IR ku-LB ky-CN ms-CC pa-PK tg- "
    "PK tk-AF tk-IR ug-CN uz-AF uz-CN"
)


def canonical(tag: str) -> str:
    """Return a tag as BCP 47 writes it, such as ``ar-EG`` for ``ar_eg``; other texts unchanged."""
    match = _TAG.fullmatch(tag.strip().replace("_", "-"))
    if match is None:
        return tag
    language = match["language"].lower()
    script, region = (match["script"] or "").title(), (match["region"] or "").upper()
    parts = [_PREFERRED.get(language, language), script, region]
    return "-".join(filter(None, parts)) + (match["variants"] or "").lower()


def is_known(tag: str) -> bool:
    """Return whether language, script and region of a canonical tag exist."""
    match = _TAG.fullmatch(tag)
    return (
        match is not None
        and _is_language(match["language"])
        and (not match["script"] or pycountry.scripts.get(alpha_4=match["script"]) is not None)
        and (not match["region"] or _is_region(match["region"]))
    )


def is_right_to_left(tag: str) -> bool:
    """Return whether a language is written from right to left: by its script, else as usual."""
    match = _TAG.fullmatch(canonical(tag))
    if match is None:
        return False
    if match["script"]:
        return match["script"] in _RIGHT_TO_LEFT_SCRIPTS
    language, region = match["language"], match["region"]
    return language in _RIGHT_TO_LEFT or f"{language}-{region}" in _RIGHT_TO_LEFT_REGIONS


def _is_language(code: str) -> bool:
    """Return whether a code exists; BCP 47 takes the one of two letters where there is one."""
    if len(code) == 2:
        return pycountry.languages.get(alpha_2=code) is not None
    language = pycountry.languages.get(alpha_3=code)
    return language is not None and not getattr(language, "alpha_2", None)


def _is_region(code: str) -> bool:
    return code.isdigit() or code == "XK" or pycountry.countries.get(alpha_2=code) is not None
