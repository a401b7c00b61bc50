"""Every word the offline provider may add to a product's own, and the words it leaves out."""

from dataclasses import dataclass

from ajansops.kit.language import Language


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels stand before a colon, so that no Turkish or Hungarian suffix ever has to fit an unknown word."""

    brand: str
    category: str
    tags: str
    occasion: str
    audience: str
    landscape: str
    portrait: str
    square: str

    @property
    def shapes(self) -> tuple[str, str, str]:
        """How a picture lies."""
        return (self.landscape, self.portrait, self.square)


LABELS = {
    Language.EN: Labels("Brand", "Category", "Tags", "Occasion", "For", "landscape", "portrait", "square"),
    Language.TR: Labels("Marka", "Kategori", "Etiketler", "Özel gün", "Kimler için", "yatay", "dikey", "kare"),
    Language.HU: Labels("Márka", "Kategória", "Címkék", "Alkalom", "Kinek", "fekvő", "álló", "négyzetes"),
}

BRAND_ATTRIBUTES = frozenset({"vendor", "brand", "manufacturer", "marka", "üretici", "márka", "gyártó"})


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What a shop keeps about a product but a customer does not read in its text; prices change under a written text.
INTERNAL_ATTRIBUTES = _set(
    """
title handle id sku mpn gtin ean upc barcode barkod vonalkód url link image price cost fiyat ár stock stok készlet
"""
) | {"default title", "image url", "sale price", "compare at price", "cost per item"}

# Google's product data specification forbids promotion in titles and descriptions of a feed.
PROMOTIONS = (
    *("sale", "discount", "free shipping", "free delivery", "best price", "% off", "buy now", "order now"),
    *("limited time", "special offer", "cheap", "bargain"),
    *("indirim", "kampanya", "fırsat", "ücretsiz kargo", "hemen al", "sipariş ver", "ucuz", "en iyi fiyat"),
    *("akció", "kedvezmény", "leárazás", "ingyenes szállítás", "ingyenes kiszállítás", "olcsó", "vásároljon most"),
    *("rendelje meg", "legjobb ár"),
)


_ENGLISH_STOP = _set(
    """
a about above after all also am an and any are as at available be because been before between both but by can could
did do does each every few for from get had has have how if in into is it its just like made make makes many may
more most much no not of off on one only or other our out over own per same set she so some such than that the their
them then there these they this those through to too under up use used uses using variety very was we well were what
when where which while who will with without you your
"""
)
_TURKISH_STOP = _set(
    """
acaba ama ancak arada bazı ben bir biri birkaç biz bu bunu çok çünkü da daha de defa değil diye eğer en gibi göre
hem hep hepsi her hiç için ile ise kadar kez ki kim mı mi mu mü nasıl ne neden nerede niye o olan olarak sahip sanki
siz şey şu tüm üzere var ve veya ya yani yok
"""
)
_HUNGARIAN_STOP = _set(
    """
a abban ahhoz ahogy aki akkor alatt amely ami amint annak arra az azok azon azonban azt be csak de e egy egyes egyik
ehhez el ennek erre és ez ezek ezt fel ha hanem hogy hogyan ide is így illetve ilyen itt jól kell ki le legyen lehet
lesz maga már még meg mert mi mint minden mely nagyon nem nincs olyan össze pedig s saját sem sok szerint szinte
találnak tehát több többek tovább után úgy újra vagy vagyis valamint való van vannak vele vissza volt való
"""
)

# Praise says nothing that a shopper searches for.
_PRAISE = _set(
    """
amazing awesome beautiful best chic classic comfortable cool elegant excellent exclusive fantastic finest good
gorgeous great ideal incredible lovely luxurious luxury modern nice original perfect premium quality sleek stunning
stylish super superb unique vibrant wonderful güzel harika kaliteli mükemmel muhteşem özel şık eşsiz ideal csodás
gyönyörű kiváló minőségi prémium remek stílusos szép tökéletes
"""
)

NEVER_TAGS = _ENGLISH_STOP | _TURKISH_STOP | _HUNGARIAN_STOP | _PRAISE
