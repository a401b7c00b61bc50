"""What is in a product file, without a database."""

import pytest

from ajansops.kit.errors import Invalid
from content.imports import table
from content.imports.formats import read_products

SHOPIFY = (
    "Handle,Title,Body (HTML),Vendor,Type,Tags,Option1 Name,Option1 Value,Variant SKU,Variant Price,"
    "Image Src,Image Position\n"
)


def only(data: bytes | str):
    file = read_products(data.encode() if isinstance(data, str) else data)
    assert len(file.found) == 1, file.found
    return file.found[0]


def test_shopify_rows_of_a_handle_are_one_product():
    file = read_products(
        (
            SHOPIFY + 'pot,Clay Pot,<p>Clay</p>,Acme,Outdoor,"Pot, Plants",Size,Regular,,9.99,http://a/2.jpg,2\n'
            "lamp,Lamp,,Acme,,,Title,Default Title,L-1,5,,\n"
            "pot,,,,,,,Large,,15.99,http://a/1.jpg,1\n"
        ).encode()
    )
    assert (file.format, file.rows, file.blank) == ("shopify", 3, 0)
    pot, lamp = file.found
    assert pot.fields == {
        "external_handle": "pot",
        "sku": "pot",
        "title": "Clay Pot",
        "description": "<p>Clay</p>",
        "categories": ["Outdoor"],
        "tags": ["Pot", "Plants"],
        "pictures": ["http://a/1.jpg", "http://a/2.jpg"],
        "attributes": [["Vendor", "Acme"], ["Size", "Regular, Large"], ["Price", "9.99, 15.99"]],
    }
    assert lamp.fields["sku"] == "L-1"
    assert lamp.fields["attributes"] == [["Vendor", "Acme"], ["Price", "5"]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "windows-1254"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_plain_file_is_read_in_every_delimiter_and_encoding(delimiter, encoding, newline):
    rows = [["SKU", "Title", "Categories", "Tags", "Picture", "Malzeme"]]
    rows += [["K-1", "Mavi Kupa İğne", "Mutfak|Çay", "mavi|kupa", "http://a/1.jpg", "Çömlek"]]
    found = only(newline.join(delimiter.join(row) for row in rows).encode(encoding))
    assert found.fields == {
        "sku": "K-1",
        "title": "Mavi Kupa İğne",
        "categories": ["Mutfak", "Çay"],
        "tags": ["mavi", "kupa"],
        "pictures": ["http://a/1.jpg"],
        "attributes": [["Malzeme", "Çömlek"]],
    }


def test_a_column_that_the_file_lacks_is_not_among_the_fields():
    assert set(only("sku,title\nA,B\n").fields) == {"sku", "title"}


@pytest.mark.parametrize(
    ("cell", "pictures"),
    [
        ("http://a/1.jpg http://a/2.jpg", ["http://a/1.jpg", "http://a/2.jpg"]),
        ("http://a/1.jpg,http://a/2.jpg", ["http://a/1.jpg", "http://a/2.jpg"]),
        ("http://a/1,2.jpg|b.jpg", ["http://a/1,2.jpg", "b.jpg"]),
        ("", []),
    ],
)
def test_several_pictures_fit_in_a_cell(cell, pictures):
    assert only(f'sku,title,pictures\nA,B,"{cell}"\n').fields["pictures"] == pictures


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("A,", "title is missing"),
        (",B", "sku is missing"),
        ("A," + "x" * 501, "longer than 500"),
        ("s" * 121 + ",B", "longer than 120"),
        ("A,B,C", "3 cells; the header has 2"),
        ("A,B\0", "NUL"),
        ('A,"B"C', "cannot be read"),
        ('A,"never closed', "cannot be read"),
    ],
)
def test_a_faulty_row_is_reported_with_its_number_and_the_others_are_read(row, said):
    file = read_products(f"sku,title\nfirst,First\n\n{row}\n".encode())
    good, bad = file.found
    assert good.fields["sku"] == "first"
    assert (bad.row, bad.key) == (4, "row 4")
    assert said in bad.fault
    assert file.blank == 1


def test_reading_goes_on_after_a_row_that_cannot_be_read():
    file = read_products(b'sku,title\nA,"B"C\nD,E\n')
    assert [one.key for one in file.found] == ["row 2", "D"]


def test_a_cell_of_a_megabyte_is_one_bad_row():
    file = read_products(b"sku,title,description\nA,B," + b"x" * 2**20 + b"\nC,D,\n")
    assert [bool(one.fault) for one in file.found] == [True, False]
    assert "description is longer" in file.found[0].fault


def test_a_second_row_of_a_sku_is_reported():
    file = read_products(b"sku,title\nA,B\nA,C\n")
    assert [one.fault for one in file.found] == ["", "Row 2 has the same SKU or handle."]


def test_a_shopify_row_without_a_handle_is_reported():
    file = read_products((SHOPIFY + ",Clay Pot\n").encode())
    assert file.found[0].fault == "The handle is missing."


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\1\2\3",
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
        "sku,title\nA,B".encode("utf-16"),
        b"name,colour\nA,B\n",
        b"title\nA\n",
        b"sku,title,SKU\nA,B,C\n",
        b'{"sku": "A"}',
        b"sku,title\n\x81\xff\x81",
    ],
)
def test_what_is_no_product_file_is_invalid(data):
    with pytest.raises(Invalid) as error:
        read_products(data)
    assert "file" in error.value.errors


def test_a_file_has_limits(monkeypatch):
    monkeypatch.setattr(table, "MAX_ROWS", 2)
    assert len(read_products(b"sku,title\nA,B\nC,D\n").found) == 2
    with pytest.raises(Invalid, match="invalid"):
        read_products(b"sku,title\nA,B\nC,D\nE,F\n")
    with pytest.raises(Invalid):
        read_products(b"sku,title\n" + b"x" * table.MAX_BYTES)
