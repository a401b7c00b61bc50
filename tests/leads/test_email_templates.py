"""Mail templates on core: safe HTML, one line of subject, and merge fields that survive or are refused."""

import pytest

from accounts.models import Activity
from accounts.roles import Role
from leads.mail_html import mail_html, merge_fields
from leads.models import EmailTemplate
from tests.accounts.test_admin import address, post, staff
from tests.conftest import Api

pytestmark = pytest.mark.django_db

PATH = "/api/v1/email-templates"
FULL = {
    "name": "First contact",
    "subject": "{{ company }}: a question about your shop",
    "html": '<p>Merhaba {{ name }},</p><p><a href="https://agency.example/?c={{ id }}">more</a></p>',
}
REL = ' rel="noopener noreferrer"'


def kept(api: Api, html: str) -> str:
    answer = api.post(PATH, FULL | {"html": html})
    assert answer.status_code == 201, answer.content
    return answer.json()["data"]["html"]


def refused(answer, *names: str) -> bool:
    """Whether exactly these fields are."""
    assert answer.status_code == 422, answer.content
    return set(answer.json()["errors"]) == set(names)


def test_it_works(acme):
    answer = acme.post(PATH, FULL)
    assert (answer.status_code, set(answer.json())) == (201, {"message", "data"})
    row = answer.json()["data"]
    assert set(row) == {"id", "name", "subject", "html", "created_at", "updated_at"}
    assert row["html"] == FULL["html"].replace('{{ id }}"', '{{ id }}"' + REL)
    assert acme.get(f"{PATH}/{row['id']}").json()["data"] == row
    changed = acme.patch(f"{PATH}/{row['id']}", {"subject": "Again"}).json()["data"]
    assert (changed["subject"], changed["html"]) == ("Again", row["html"])
    assert acme.put(f"{PATH}/{row['id']}", FULL).json()["data"]["subject"] == FULL["subject"]
    assert acme.get(f"{PATH}?search=FIRST&fields=name").json()["data"] == [{"name": "First contact"}]
    assert acme.get(f"{PATH}?search=your%20shop&sort=-name").json()["meta"]["total"] == 1
    assert acme.delete(f"{PATH}/{row['id']}").status_code == 204
    assert acme.get(f"{PATH}/{row['id']}").status_code == 404
    told = Activity.objects.filter(action__startswith="email_template.").order_by("seq")
    actions = [line.action.partition(".")[2] for line in told]
    assert actions == ["created", "updated", "updated", "deleted"]


def test_a_name_is_taken_once_in_a_workspace(acme, other):
    assert acme.post(PATH, FULL).status_code == 201
    second = acme.post(PATH, FULL | {"name": "Second"}).json()["data"]["id"]
    for answer in (acme.post(PATH, FULL), acme.patch(f"{PATH}/{second}", {"name": FULL["name"]})):
        assert (answer.status_code, list(answer.json()["errors"])) == (409, ["name"])
    assert other.post(PATH, FULL).status_code == 201


# --- merge fields -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "html",
    [
        "Hello {{ name }}",
        "<p>{{name}}, {{  first_name2  }}</p>",
        f'<a href="{{{{ url }}}}"{REL}>x</a>',
        f'<a href="https://x.example/{{{{ path }}}}?a=1&amp;b={{{{ b }}}}"{REL}>x</a>',
        f'<a href="mailto:{{{{ email }}}}"{REL}>x</a>',
        '<img src="{{ picture }}" alt="{{ alt }}">',
        "<table><tbody><tr><td>{{ cell }}</td></tr></tbody></table>",
        "1 { 2 } 3 % 4",
    ],
)
def test_merge_fields_survive(acme, html):
    assert kept(acme, html) == html


BROKEN = [
    "{{",
    "}}",
    "{{ }}",
    "{{ name",
    "name }}",
    "{{ name }} }}",
    "{{{ name }}}",
    "{{ first name }}",
    "{{ name|upper }}",
    "{{ name.__class__ }}",
    "{{ name() }}",
    "{{ 'x' }}",
    "{{ 1 }}",
    "{{ ad\u0131 }}",
    "{{ na\nme }}",
    "{{ " + "n" * 65 + " }}",
    "{% if name %}",
    "{% include 'secret.html' %}",
    "{# note #}",
    "%}",
]


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_merge_field_is_refused_where_it_stands(acme, text):
    assert refused(acme.post(PATH, FULL | {"html": f"<p>Hello {text}</p>"}), "html")
    assert refused(acme.post(PATH, FULL | {"html": f'<a title="{text}">x</a>'}), "html")
    assert refused(acme.post(PATH, FULL | {"subject": f"Hello {text}"}), "subject")
    assert refused(acme.post(PATH, FULL | {"html": text, "subject": text}), "html", "subject")
    assert not EmailTemplate.objects.exists()


@pytest.mark.parametrize(
    "html",
    [
        "<p>{<b></b>% load x %<b></b>}</p>".replace("<b></b>", "<script></script>"),
        "<p>&#123;% load x %&#125;</p>",
        "<p>&lbrace;&lbrace; name.secret &rbrace;&rbrace;</p>",
        "<p>{<!-- -->{ name.secret }<!-- -->}</p>",
        "<p>{\0{ name.secret }\x01}</p>".replace("\0", "\x02"),
    ],
)
def test_what_becomes_code_once_it_is_made_safe_is_refused_too(acme, html):
    assert refused(acme.post(PATH, FULL | {"html": html}), "html")


def test_a_message_shows_what_is_wrong(acme):
    answer = acme.post(PATH, FULL | {"html": "<p>Hello {{ name }} and {{ name.secret }}</p>"})
    assert "{{ name.secret }}" in answer.json()["errors"]["html"][0]


# --- safe -------------------------------------------------------------------------------------------------------------

UNSAFE = [
    ("<script>alert(1)</script><p>a</p>", "<p>a</p>"),
    ("<style>p{color:red}</style><p>a</p>", "<p>a</p>"),
    ("<link rel=stylesheet href=https://x.example/a.css><p>a</p>", "<p>a</p>"),
    ("<p onclick=alert(1)>a</p>", "<p>a</p>"),
    ("<iframe src=https://x.example></iframe><p>a</p>", "<p>a</p>"),
    ("<form action=https://x.example><input name=a></form><p>a</p>", "<p>a</p>"),
    ("<svg><a href='javascript:alert(1)'>x</a></svg><p>a</p>", "<p>a</p>"),
    ("<a href='javascript:alert(1)'>x</a>", f"<a{REL}>x</a>"),
    ("<a href='java&#10;script:alert(1)'>x</a>", f"<a{REL}>x</a>"),
    ("<a href='data:text/html,x'>x</a>", f"<a{REL}>x</a>"),
    ("<img src=x onerror=alert(1)>", '<img src="x">'),
    ("<img src='data:image/svg+xml,x'>", "<img>"),
    ("<p style='color:red;background:url(https://x.example/a)'>a</p>", '<p style="color:red">a</p>'),
    ("<p style='position:fixed'>a</p>", '<p style="">a</p>'),
    ("<html><head><title>T</title></head><body><p>a</p></body></html>", "<p>a</p>"),
    ("<p>a", "<p>a</p>"),
    ("<td>a</td>", "a"),
    ("<p>1 < 2 & \x07</p>", "<p>1 &lt; 2 &amp; </p>"),
]


@pytest.mark.parametrize(("given", "safe"), UNSAFE)
def test_html_is_made_safe_before_it_is_kept(acme, given, safe):
    assert kept(acme, given) == safe
    assert EmailTemplate.objects.get().html == safe


@pytest.mark.parametrize("given", [given for given, _ in UNSAFE] + [FULL["html"]])
def test_what_is_safe_stays_as_it_is(given):
    """So that a change of the name alone, or filling the fields in, changes nothing else."""
    once = mail_html(given)
    assert mail_html(once) == once


def test_a_field_in_a_link_is_harmless_once_it_is_filled_in_and_made_safe_again():
    html = mail_html('<a href="{{ url }}">x</a>')
    assert merge_fields(html) == ["url"]
    assert mail_html(html.replace("{{ url }}", "javascript:alert(1)")) == f"<a{REL}>x</a>"


@pytest.mark.parametrize("html", ["", "   ", "<script>a</script>", "<title>{{ name }}</title>", "<!-- a -->"])
def test_html_of_which_nothing_is_left_is_refused(acme, html):
    assert refused(acme.post(PATH, FULL | {"html": html}), "html")


# --- the rest of the fields -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "subject",
    ["a\r\nBcc: x@y.example", "a\nb", "a\rb", "a\n", "\r\na", "a\0b", "a\x0bb", "a\x85b", "a\u2028b", "a\u2029", ""],
)
def test_a_subject_is_one_line(acme, subject):
    answer = acme.post(PATH, FULL | {"subject": subject})
    assert answer.status_code in ({400, 422} if "\0" in subject else {422}), answer.content
    row = acme.post(PATH, FULL).json()["data"]["id"]
    assert acme.patch(f"{PATH}/{row}", {"subject": subject}).status_code == answer.status_code
    assert EmailTemplate.objects.get().subject == FULL["subject"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"subject": "x" * 256}, "subject"),
        ({"subject": None}, "subject"),
        ({"html": None}, "html"),
        ({"html": ["<p>a</p>"]}, "html"),
        ({"html": "x" * 200_001}, "html"),
        ({"text": "plain"}, "text"),
    ],
)
def test_what_is_wrong_is_named(acme, body, field):
    assert refused(acme.post(PATH, FULL | body), field)


@pytest.mark.parametrize("field", FULL)
def test_nothing_has_a_default(acme, field):
    assert refused(acme.post(PATH, {name: text for name, text in FULL.items() if name != field}), field)


@pytest.mark.parametrize(
    ("role", "statuses"),
    [
        (Role.VIEWER, {"GET": 200, "POST": 403, "PATCH": 403, "DELETE": 403}),
        (Role.EDITOR, {"GET": 200, "POST": 201, "PATCH": 200, "DELETE": 403}),
        (Role.ADMIN, {"GET": 200, "POST": 201, "PATCH": 200, "DELETE": 204}),
    ],
)
def test_the_role_decides(acme, people, role, statuses):
    people.acme.memberships.filter(user=people.bob).update(role=role)
    path, bob = f"{PATH}/{acme.post(PATH, FULL).json()['data']['id']}", Api(user=people.bob)
    for method, status in statuses.items():
        where, body = (PATH, FULL | {"name": "Other"}) if method == "POST" else (path, {"name": "New"})
        assert bob.call(method, where, body).status_code == status, method


def test_the_admin_makes_it_safe_too(people):
    api, page = staff(people.alice), address(EmailTemplate, "add")
    form = {"workspace": people.acme.pk, "name": "N", "subject": "S"}
    post(api, page, **form, html="<p onclick=x>Hello {{ name }}</p>")
    assert EmailTemplate.objects.get().html == "<p>Hello {{ name }}</p>"
    answer = post(api, page, **form | {"name": "M"}, html="{% now %}")
    assert (answer.status_code, "this is none: {% now %}" in answer.content.decode()) == (200, True)
    assert EmailTemplate.objects.count() == 1
