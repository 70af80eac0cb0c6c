"""Attribution: the bounded, cleaned context of a visit, and its source and medium."""

import re
import socket
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus, urlsplit

from leadgen.lib.invisible import plain_line
from leadgen.lib.net.ip import packed_address

UTM = (
    "source",
    "medium",
    "campaign",
    "term",
    "content",
    "id",
    "source_platform",
    "creative_format",
    "marketing_tactic",
)
# Click id -> (source, medium) where no UTM value names them. Facebook marks unpaid clicks too.
CLICK_IDS = {
    "gclid": ("google", "cpc"),
    "gbraid": ("google", "cpc"),
    "wbraid": ("google", "cpc"),
    "dclid": ("google", "display"),
    "fbclid": ("facebook", "social"),
    "msclkid": ("bing", "cpc"),
    "ttclid": ("tiktok", "cpc"),
    "li_fat_id": ("linkedin", "cpc"),
}
_URL, _TEXT, _CLICK_ID, _FIELDS = 2000, 200, 500, 50
# Characters of a URL that are searched for marks: more than browsers and servers take.
_LONGEST = 65_536
# A full parse of the URL takes four times as long.
_NAMES = rf"utm_(?:{'|'.join(UTM)})|{'|'.join(CLICK_IDS)}"
_MARK = re.compile(rf"[?&](?:amp;)?({_NAMES})=([^&]+)", re.IGNORECASE)
# Link builders append "?name=value" to a URL that has a query already.
_SECOND_MARK = re.compile(rf"\?(?=(?:{_NAMES})=)", re.IGNORECASE)
_DAY_MS = 86_400_000
# Not every subdomain: mail.google.com is no search. A label that two alternatives match doubles the
# time for each repetition: "ca", also a case of [a-z]{2}, stopped the intake with 30 labels.
_SEARCH = re.compile(
    r"(?:(?:www\d?|m|r|lite|html|start|noai|safe|images|global|search|[a-z]{2})\.)*"
    r"(google|bing|duckduckgo|yahoo|yandex|baidu|ecosia|qwant|startpage|brave|kagi|naver|seznam|"
    r"sogou|daum|mojeek|aol)(?:\.[a-z]{2,3}){1,2}"
)
# Hosts that the pattern does not cover: ya.ru, and the apps of Android by their package names.
_ORIGINS = {
    "ya.ru": ("yandex", "organic"),
    "com.google.android.googlequicksearchbox": ("google", "organic"),
    "com.google.android.apps.searchlite": ("google", "organic"),
    "com.microsoft.bing": ("bing", "organic"),
    "com.duckduckgo.mobile.android": ("duckduckgo", "organic"),
    "com.yandex.searchapp": ("yandex", "organic"),
    "ru.yandex.searchplugin": ("yandex", "organic"),
    "com.nhn.android.search": ("naver", "organic"),
    "com.facebook.katana": ("facebook", "social"),
    "com.instagram.android": ("instagram", "social"),
    "com.linkedin.android": ("linkedin", "social"),
    "com.twitter.android": ("x", "social"),
    "com.google.android.youtube": ("youtube", "social"),
    "com.reddit.frontpage": ("reddit", "social"),
    "com.pinterest": ("pinterest", "social"),
}
_SOCIAL = {
    "facebook.com": "facebook",
    "fb.com": "facebook",
    "instagram.com": "instagram",
    "linkedin.com": "linkedin",
    "lnkd.in": "linkedin",
    "t.co": "x",
    "twitter.com": "x",
    "x.com": "x",
    "youtube.com": "youtube",
    "youtu.be": "youtube",
    "reddit.com": "reddit",
    "pinterest.com": "pinterest",
    "tiktok.com": "tiktok",
    "xing.com": "xing",
    "threads.net": "threads",
    "bsky.app": "bluesky",
}


def context_of(
    sent: Mapping[str, Any], *, channel: str, address: str, user_agent: str, language: str
) -> dict[str, Any]:
    """Return the value of Submission.context, without empty values and values of a wrong type.

    ``sent`` holds the client's values: page_url, landing_page, referrer, utm, click_ids,
    first_touch, elapsed_ms. Long texts are cut instead of refused: bad attribution must not lose
    the enquiry.
    """
    context = {
        "channel": channel,
        **_touch(sent),
        "landing_page": _text(sent.get("landing_page"), _URL),
        "first_touch": _first_touch(sent.get("first_touch")),
        "address": truncated(address),
        "user_agent": _text(user_agent, 400),
        "language": _text(language, 100),
        "elapsed_ms": _milliseconds(sent.get("elapsed_ms")),
    }
    return _filled(context)


def marks_in(url: str) -> dict[str, dict[str, str]]:
    """Return {"utm": …, "click_ids": …} from the URL's query string; the first of equals wins.

    A URL without marks in its query may have them in its fragment, as link builders write them for
    pages of one address. Case does not matter in the names.
    """
    query, _, fragment = url.partition("#")
    if query.count("?") > 1:
        query = _SECOND_MARK.sub("&", query)
    pairs = _MARK.findall(query) or _MARK.findall(f"&{fragment}")
    if len(pairs) > _FIELDS:
        return {}
    marks = {name.lower(): unquote_plus(value, errors="replace") for name, value in reversed(pairs)}
    utm = {name: marks[f"utm_{name}"] for name in UTM if f"utm_{name}" in marks}
    return {"utm": utm, "click_ids": {name: marks[name] for name in CLICK_IDS if name in marks}}


def source_and_medium(context: Mapping[str, Any]) -> tuple[str, str]:
    """Return source and medium of the last touch.

    The first of these decides: UTM, click id, referrer, ("direct", "none"). Both values have at
    most 100 characters, in lower case, so that "Google" and "google" are one source.
    """
    utm = context.get("utm") or {}
    texts = (plain_line(str(utm.get(key, ""))) for key in ("source", "medium"))
    source, medium = (text.lower()[:100] for text in texts)
    clicks = context.get("click_ids") or {}
    click = next((CLICK_IDS[name] for name in clicks if name in CLICK_IDS), None)
    if source:
        return source, medium or (click[1] if click else "none")
    fallback = click or _referral(context) or ("direct", "none")
    return fallback[0], medium or fallback[1]


def truncated(address: str) -> str:
    """Return the network of an IP address: /24 of IPv4, /48 of IPv6; empty for anything else."""
    packed = packed_address(address)
    if len(packed) == 4:
        return socket.inet_ntop(socket.AF_INET, packed[:3] + bytes(1))
    return socket.inet_ntop(socket.AF_INET6, packed[:6] + bytes(10)) if packed else ""


def _touch(sent: Mapping[str, Any]) -> dict[str, Any]:
    # Marks are read before the URL is cut: a click id is often its last parameter.
    page_url = _text(sent.get("page_url"), _LONGEST)
    marks = marks_in(page_url)
    return {
        "page_url": page_url[:_URL],
        "referrer": _text(sent.get("referrer"), _URL),
        "utm": _texts(sent.get("utm"), UTM, _TEXT) or _texts(marks.get("utm"), UTM, _TEXT),
        "click_ids": _texts(sent.get("click_ids"), CLICK_IDS, _CLICK_ID)
        or _texts(marks.get("click_ids"), CLICK_IDS, _CLICK_ID),
    }


def _first_touch(sent: Any) -> dict[str, Any]:
    if not isinstance(sent, dict):
        return {}
    return _filled({"at": _text(sent.get("at"), 40), **_touch(sent)})


def _filled(context: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in context.items() if value not in ("", {}, None)}


def _text(value: Any, longest: int) -> str:
    """Cut to ``longest`` characters; remove NUL and lone surrogates, which PostgreSQL rejects."""
    if not isinstance(value, str):
        return ""
    text: str = value
    if not (text.isascii() and "\x00" not in text):
        text = text.replace("\x00", "").encode("utf-8", "ignore").decode("utf-8")
    return text.strip()[:longest]


def _texts(value: Any, names: Any, longest: int) -> dict[str, str]:
    """Return the named texts of a client's object; programs write names with utm_ and capitals."""
    if not isinstance(value, dict):
        return {}
    given = {name.lower().removeprefix("utm_"): value[name] for name in value} | value
    return _filled({name: _text(given[name], longest) for name in names if name in given})


def _milliseconds(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 12:
        value = int(value)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return min(value, _DAY_MS) if is_number and value >= 0 else None


def _referral(context: Mapping[str, Any]) -> tuple[str, str] | None:
    host = _host(context.get("referrer", ""))
    if not host or host == _host(context.get("page_url", "")):
        return None
    if known := _ORIGINS.get(host.removeprefix("m.")):
        return known
    if engine := _SEARCH.fullmatch(host):
        return engine[1], "organic"
    domain = ".".join(host.split(".")[-2:])
    if social := _SOCIAL.get(domain):
        return social, "social"
    return host[:100], "referral"


def _host(url: str) -> str:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    return host.removeprefix("www.").removesuffix(".")
