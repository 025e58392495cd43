"""Mail: headers, the text once, attachments by their own readers."""

from email.message import EmailMessage
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest

from knowledge.errors import DocumentError
from knowledge.ingest.document import read_bytes
from tests.knowledge.readers.samples import word_file
from tests.knowledge.readers.sections import sections_of


def mail(subject: str = "Abfahrt der Fähre") -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = (
        subject,
        "Anna Lind <anna@example.org>",
        "crew@example.org",
    )
    message["Date"] = "Tue, 03 Mar 2026 08:00:00 +0100"
    message.set_content("Die Fähre fährt um 7:40 ab.\n", cte="base64")
    message.add_alternative("<p>Die Fähre fährt um <b>7:40</b> ab.</p>", subtype="html")
    return message


@pytest.mark.parametrize("name", ["note.txt", "note", "note.eml"])
def test_a_mail_is_known_by_its_header_whatever_its_name(name: str) -> None:
    document = read_bytes(
        name, b"Subject: Hello\nFrom: a@example.org\n" + mail().as_bytes().split(b"\n", 2)[2]
    )
    assert document.title == "Hello"
    assert document.text.endswith("Die Fähre fährt um 7:40 ab.")


def test_a_text_that_begins_with_names_and_colons_is_no_mail() -> None:
    assert (
        read_bytes("a.txt", b"From: Anna\nTo: Bert\n\nA scene.\n").text == "From: Anna\nTo: Bert\n\nA scene."
    )


def test_a_header_in_an_old_encoding_is_read() -> None:
    data = "Subject: Fähre um sieben\nFrom: Jörg <j@example.org>\n\nDie Fähre fährt um 7:40 ab.".encode(
        "latin-1"
    )
    assert read_bytes("a.eml", data).title == "Fähre um sieben"


def test_decoded_text_stands_once_below_its_headers() -> None:
    document = read_bytes("note.eml", mail().as_bytes())
    assert document.title == "Abfahrt der Fähre"
    assert document.text.split("\n\n") == [
        "Subject: Abfahrt der Fähre\nFrom: Anna Lind <anna@example.org>\nTo: crew@example.org\n"
        "Date: Tue, 03 Mar 2026 08:00:00 +0100",
        "Die Fähre fährt um 7:40 ab.",
    ]


def test_mail_of_html_alone_is_read() -> None:
    message = EmailMessage()
    message["Subject"] = "Fares"
    message.set_content(
        "<h1>Fares</h1><table><tr><th>Route<th>Fare<tr><td>Skarv<td>55</table>", subtype="html"
    )
    assert "Route: Skarv; Fare: 55" in read_bytes("a.eml", message.as_bytes()).text


def test_attachments_are_read_under_their_names() -> None:
    message = mail()
    message.add_attachment(
        word_file(), maintype="application", subtype="octet-stream", filename="manual.docx"
    )
    message.add_attachment("Route,Fare\nSkarv,55\n", filename="Tarife für März.csv")
    message.add_attachment(mail("Inner"))
    message.add_attachment(b"MZ\x90 program", maintype="application", subtype="x-dos", filename="a.exe")
    document = read_bytes("note.eml", message.as_bytes())
    found = sections_of(document)
    assert ("table", "Route: Skarv; Fare: 55", ("Attachment: Tarife für März.csv",)) in found
    assert any(headings[:2] == ("Attachment: manual.docx", "Skerrin") for _, _, headings in found)
    assert any("Subject: Inner" in text for _, text, headings in found if headings == ("Attachment: Inner",))
    assert document.notes == ("its attachment a.exe was not read: it is a program, not a document",)


def test_mailbox_holds_its_messages_one_after_the_other() -> None:
    data = b"".join(
        b"From x Mon Mar  2 08:00:00 2026\n" + mail(f"Note {n}").as_bytes() + b"\n" for n in (1, 2)
    )
    document = read_bytes("all.mbox", data)
    assert {section.headings for section in document.sections} == {("Note 1",), ("Note 2",)}
    assert document.text.count("7:40") == 2


def test_what_is_no_mail_is_said() -> None:
    with pytest.raises(DocumentError, match="it is no mail"):
        read_bytes("a.eml", b"nothing of the kind")


def test_mails_within_mails_end() -> None:
    message = mail("deepest")
    for _ in range(20):
        outer = mail()
        outer.add_attachment(message)
        message = outer
    assert "deepest" not in read_bytes("a.eml", message.as_bytes()).text


def test_text_behind_an_attachment_is_read_and_its_other_form_is_not() -> None:
    message = MIMEMultipart("mixed")
    message["Subject"] = "Fees"
    message.attach(MIMEText("before the file"))
    fares = MIMEApplication(b"Route,Fare\nSkarv,55\n")
    fares.add_header("Content-Disposition", "inline", filename="=?utf-8?B?VGFyaWZlIGbDvHIgTcOkcnouY3N2?=")
    message.attach(fares)
    both = MIMEMultipart("alternative")
    both.attach(MIMEText("after the file"))
    both.attach(MIMEText("<p>after the file, in colours</p>", "html"))
    message.attach(both)
    document = read_bytes("a.eml", message.as_bytes())
    assert document.text.split("\n\n") == [
        "Subject: Fees", "before the file", "Attachment: Tarife für März.csv", "Route: Skarv; Fare: 55",
        "after the file",
    ]  # fmt: skip
    assert ("Attachment: Tarife für März.csv",) in {headings for _, _, headings in sections_of(document)}


def test_lines_that_were_only_wrapped_are_one() -> None:
    data = b"Subject: x\nFrom: a\nContent-Type: text/plain; format=flowed\n\nThe ferry leaves \nat 7:40.\n-- \nAnna\n"
    assert read_bytes("a.eml", data).text.endswith("The ferry leaves at 7:40.\n-- \nAnna")


def test_text_of_another_kind_is_read_and_what_outlook_packs_is_named() -> None:
    invitation = (
        b"Subject: x\nFrom: a\nContent-Type: text/calendar\n\nBEGIN:VCALENDAR\nSUMMARY:Harbour meeting\n"
    )
    assert "SUMMARY:Harbour meeting" in read_bytes("a.eml", invitation).text
    message = MIMEMultipart("mixed")
    message["Subject"] = "Fees"
    message.attach(MIMEText("See."))
    message.attach(MIMEApplication(b"\x78\x9f\x3e\x22\x01", Name="winmail.dat"))
    document = read_bytes("a.eml", message.as_bytes())
    assert document.text.split("\n\n") == ["Subject: Fees", "See.", "Attachment: winmail.dat"]
    assert "what Outlook packs" in document.notes[0]


TABLE = "<table><tr><th>Berth</th><th>Fee</th></tr><tr><td>A</td><td>12</td></tr><tr><td>B</td><td>12</td></tr></table>"


@pytest.mark.parametrize(
    ("text", "page", "found"),
    [
        (
            "The fees are below.\nBerth\nFee\nA\n12\nB\n12",
            f"<p>The fees are below.</p>{TABLE}",
            "Berth: B; Fee: 12",
        ),
        (
            "Your program cannot show this mail.",
            "<p>The crane of the north quay lifts eight tonnes on Mondays.</p>",
            "lifts eight tonnes",
        ),
    ],
)
def test_a_page_that_says_more_than_its_text_is_read(text: str, page: str, found: str) -> None:
    message = EmailMessage()
    message["Subject"] = "Fees"
    message.set_content(text)
    message.add_alternative(page, subtype="html")
    read = read_bytes("fees.eml", message.as_bytes()).text
    assert found in read
    assert text not in read


def test_a_page_that_adds_a_few_words_is_not_read_instead_of_its_text() -> None:
    message = EmailMessage()
    message["Subject"] = "Hours"
    message.set_content("The harbour office opens at eight and closes at four.\n\n> When do you open?")
    page = "<p>The harbour office opens at eight and closes at four.</p><p>View in browser</p>"
    message.add_alternative(page, subtype="html")
    read = read_bytes("hours.eml", message.as_bytes()).text
    assert "> When do you open?" in read and "View in browser" not in read


def test_a_text_and_a_page_that_say_different_things_are_both_read() -> None:
    message = EmailMessage()
    message["Subject"] = "Fees"
    message.set_content("Dear office, please note that Mara Quill has moved to Stokka.")
    message.add_alternative(TABLE, subtype="html")
    read = read_bytes("fees.eml", message.as_bytes()).text
    assert "Mara Quill has moved" in read and "Berth: B; Fee: 12" in read
