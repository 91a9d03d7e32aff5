"""AWS under fire: a real HTTP server in front of moto's that passes requests on, unless its script has a fault for one.

`KINDS` are the faults that it knows, each with what awsflow does about it: docs/reliability.md has the table.
"""

import http.client
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from tests.answers import Answer, Answering, Ending, Request, refused, refused_by_sts

Real = Callable[[], Answer]
"""Has the request answered by whoever is behind the proxy."""


def refusal(request: Request, code: str, status: int) -> Answer:
    """An error as the service words it that was asked."""
    if request.parameters.get("Action"):
        return refused_by_sts(code, status)
    if "json" in request.headers.get("content-type", ""):
        told = {"__type": code, "message": f"The message of {code}."}
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amzn-ErrorType": code}
        return Answer(status, json.dumps(told).encode(), headers)
    return refused(code, status)


@dataclass(frozen=True)
class Kind:
    """A kind of fault."""

    happens: str
    does: str
    """What awsflow does."""
    code: int
    """What a run ends with if it lasts: of S3, of Inspector, of STS; the others have a code of their own for 7."""
    answer: Callable[[Request, Real], Answer | None]
    recovers: bool = True
    """Whether a run goes on as if nothing had been, when it happens once."""
    of_object: int = 0
    """The code for an object of a bucket, if it is another one."""


def _refused(code: str, status: int) -> Callable[[Request, Real], Answer | None]:
    return lambda request, real: refusal(request, code, status)


def _breaking(ending: Ending, part: float) -> Callable[[Request, Real], Answer | None]:
    """Ends so after this part of the body; a negative one: before the head."""

    def answer(request: Request, real: Real) -> Answer:
        whole = real()
        return replace(whole, ending=ending, cut=int(len(whole.body) * part) if part >= 0 else -1)

    return answer


def _empty(request: Request, real: Real) -> Answer:
    return replace(real(), body=b"")


def _garbage(request: Request, real: Real) -> Answer:
    return Answer(body=b"<html><body>Sign in to this network<br></body></html>", headers={"Content-Type": "text/html"})


def _wrong_date(request: Request, real: Real) -> Answer:
    whole = real()
    return replace(whole, headers={**whole.headers, "Date": "Thu, 01 Jan 1970 00:00:00 GMT"})


def _elsewhere(request: Request, real: Real) -> Answer:
    told = refusal(request, "PermanentRedirect", 301)
    return replace(told, headers={**told.headers, "x-amz-bucket-region": "eu-west-1"})


_AGAIN = "tries again, up to ten times, with longer and longer pauses"
_ON = "goes on at the byte where it broke off, in the same version; an answer in one piece is asked for again"

KINDS: dict[str, Kind] = {
    "slow-down": Kind("503 `SlowDown`", _AGAIN, 16, _refused("SlowDown", 503)),
    "throttling": Kind("400 `ThrottlingException`", _AGAIN, 16, _refused("ThrottlingException", 400)),
    "too-many-requests": Kind("429 `TooManyRequestsException`", _AGAIN, 16, _refused("TooManyRequestsException", 429)),
    "request-limit": Kind("400 `RequestLimitExceeded`", _AGAIN, 16, _refused("RequestLimitExceeded", 400)),
    "server-error": Kind("500 `InternalError`", _AGAIN, 7, _refused("InternalError", 500)),
    "bad-gateway": Kind(
        "502, a proxy's page", _AGAIN, 7, lambda request, real: Answer(502, b"<html>Bad gateway<br></html>")
    ),
    "reset-before-head": Kind("the connection is reset before anything came", _AGAIN, 15, _breaking("reset", -1)),
    "reset-behind-head": Kind("the connection is reset behind the head", _ON, 15, _breaking("reset", 0), of_object=7),
    "reset-in-body": Kind("the connection is reset in the middle", _ON, 15, _breaking("reset", 0.5), of_object=7),
    "truncated": Kind("fewer bytes come than were promised", _ON, 15, _breaking("close", 0.5), of_object=7),
    "stall": Kind("nothing more comes in the middle, for a minute", _ON, 15, _breaking("stall", 0.5)),
    "silence": Kind("the endpoint takes the connection and never answers", _AGAIN, 15, lambda request, real: None),
    "skewed": Kind(
        "403 `RequestTimeTooSkewed`",
        "ends, and says that the clock is wrong",
        19,
        _refused("RequestTimeTooSkewed", 403),
        recovers=False,
    ),
    "wrong-date": Kind("a `Date` of 1970", "does not rely on it", 0, _wrong_date),
    "expired-token": Kind(
        "400 `ExpiredToken`",
        "assumes the role anew, once for each call; without a role it ends",
        3,
        _refused("ExpiredToken", 400),
        recovers=False,
    ),
    "denied": Kind(
        "403 `AccessDenied`",
        "ends, and names the object; with `--skip_on_error` it goes on with the others",
        7,
        _refused("AccessDenied", 403),
        recovers=False,
    ),
    "gone": Kind(
        "404 `NoSuchKey`: deleted after it was listed", "likewise", 7, _refused("NoSuchKey", 404), recovers=False
    ),
    "replaced": Kind(
        "412: replaced after it was listed, or while it is read",
        "reads the new one from its beginning; versions are never mixed",
        7,
        _refused("PreconditionFailed", 412),
    ),
    "garbage": Kind(
        "200, with a page of somebody else's", "ends, and says that this is not AWS", 7, _garbage, recovers=False
    ),
    "empty": Kind(
        "200, without content", 'takes it for a broken answer, never for "nothing is there"', 15, _empty, of_object=7
    ),
    "elsewhere": Kind("301 to another region", "signs for that region", 7, _elsewhere),
}


@dataclass
class Rule:
    """A line of the script: a kind of fault, for some of the requests that match, counted from 1."""

    kind: str
    matches: Callable[[Request], bool] = lambda request: True
    first: int = 1
    last: float = float("inf")
    seen: int = 0

    def applies(self, request: Request) -> bool:
        """Whether it is this request's turn."""
        if not self.matches(request):
            return False
        self.seen += 1
        return self.first <= self.seen <= self.last


def once(kind: str, matches: Callable[[Request], bool] = lambda request: True, number: int = 1) -> Rule:
    """A fault that happens once."""
    return Rule(kind, matches, number, number)


Chooser = Callable[[Request], str | Answer | None]
"""The kind of fault for a request, or an answer of its own; None: what is behind answers."""


class FaultServer(Answering):
    """Passes requests on to `url`. The first rule that applies says how each is answered, or else `choose`."""

    def __init__(self, url: str, *rules: Rule, choose: Chooser = lambda request: None) -> None:
        super().__init__(self._faulty)
        self.happened: Counter[str] = Counter()
        """How often each kind of fault was made."""
        self.rules = list(rules)
        self.choose = choose
        """May be changed while it runs."""
        self._real = urlsplit(url).netloc

    def _faulty(self, request: Request) -> Answer | None:
        applying = [rule.kind for rule in self.rules if rule.applies(request)]
        chosen = applying[0] if applying else self.choose(request)
        if isinstance(chosen, Answer):
            return chosen
        if chosen is None:
            return self._really(request)
        self.happened[chosen] += 1
        return KINDS[chosen].answer(request, lambda: self._really(request))

    def _really(self, request: Request) -> Answer:
        connection = http.client.HTTPConnection(self._real, timeout=60)
        try:
            connection.request(request.method, request.target, request.content, request.headers)
            response = connection.getresponse()
            kept = {name: value for name, value in response.getheaders() if name.lower() not in _OF_CONNECTION}
            return Answer(response.status, response.read(), kept)
        finally:
            connection.close()


_OF_CONNECTION = {"content-length", "transfer-encoding", "connection", "server"}


def refused_by_sqs(code: str, status: int = 400) -> Answer:
    """An error as SQS words it."""
    return Answer(
        status,
        json.dumps({"__type": f"com.amazonaws.sqs#{code}", "message": f"The message of {code}."}).encode(),
        {"Content-Type": "application/x-amz-json-1.0", "x-amzn-query-error": f"{code};Sender"},
    )
