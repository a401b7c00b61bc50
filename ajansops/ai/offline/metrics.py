"""What is generally known of the usual metrics: which way is good, whether it is money, how it is computed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ajansops.ai.offline.words import fold
from ajansops.kit.language import Language


@dataclass(frozen=True, slots=True)
class Metric:
    """`direction`: 1 when more is better, -1 when less is, 0 when it depends. `rate`: comparable between entities."""

    direction: int = 0
    money: bool = False
    rate: bool = False
    meaning: Mapping[Language, str] = field(default_factory=dict)


UNKNOWN = Metric()

_CPM = {
    Language.EN: "CPM is the cost of 1,000 impressions (cost / impressions × 1,000). It rises when cost grows faster "
    "than impressions. To check: audience size, placements, bids, competition in the period.",
    Language.TR: "CPM, 1.000 gösterimin maliyetidir (maliyet / gösterim × 1.000). Maliyet gösterimden hızlı artarsa "
    "yükselir. Bakılacaklar: hedef kitlenin büyüklüğü, yerleşimler, teklifler, dönemdeki rekabet.",
    Language.HU: "A CPM ezer megjelenés költsége (költség / megjelenés × 1000). Akkor nő, ha a költség gyorsabban nő, "
    "mint a megjelenések száma. Ellenőrizendő: a célközönség mérete, az elhelyezések, az ajánlatok, az időszak "
    "versenye.",
}
_CPC = {
    Language.EN: "CPC is the cost of one click (cost / clicks). It follows from CPM and CTR: a dearer impression or "
    "fewer clicks on it raise it. To check: CPM, CTR, bids, search terms.",
    Language.TR: "TBM (CPC), bir tıklamanın maliyetidir (maliyet / tıklama). CPM ve CTR sonucudur: gösterim "
    "pahalanırsa ya da daha az tıklanırsa yükselir. Bakılacaklar: CPM, CTR, teklifler, arama terimleri.",
    Language.HU: "A CPC egy kattintás költsége (költség / kattintás). A CPM-ből és a CTR-ből következik: drágább "
    "megjelenés vagy kevesebb kattintás emeli. Ellenőrizendő: CPM, CTR, ajánlatok, keresési kifejezések.",
}
_CPA = {
    Language.EN: "CPA is the cost of one conversion (cost / conversions). It follows from CPC and the conversion rate. "
    "To check: CPC, conversion rate, landing page, tracking.",
    Language.TR: "CPA, bir dönüşümün maliyetidir (maliyet / dönüşüm). CPC ve dönüşüm oranının sonucudur. Bakılacaklar: "
    "CPC, dönüşüm oranı, açılış sayfası, ölçüm kurulumu.",
    Language.HU: "A CPA egy konverzió költsége (költség / konverzió). A CPC-ből és a konverziós arányból következik. "
    "Ellenőrizendő: CPC, konverziós arány, érkezési oldal, mérés.",
}
_CTR = {
    Language.EN: "CTR is the share of impressions that are clicked (clicks / impressions). To check: the creative and "
    "how long it has run, the audience, the placements, the search terms.",
    Language.TR: "CTR, gösterimlerin tıklanma oranıdır (tıklama / gösterim). Bakılacaklar: kreatif ve ne zamandır "
    "yayında olduğu, hedef kitle, yerleşimler, arama terimleri.",
    Language.HU: "A CTR a megjelenések kattintási aránya (kattintás / megjelenés). Ellenőrizendő: a kreatív és hogy "
    "mióta fut, a célközönség, az elhelyezések, a keresési kifejezések.",
}
_CVR = {
    Language.EN: "The conversion rate is the share of clicks or visits that convert. To check: landing page, price and "
    "stock, forms and checkout, tracking, the mix of traffic.",
    Language.TR: "Dönüşüm oranı, tıklama ya da ziyaretlerin dönüşüme ulaşan payıdır. Bakılacaklar: açılış sayfası, "
    "fiyat ve stok, formlar ve ödeme adımı, ölçüm, trafiğin bileşimi.",
    Language.HU: "A konverziós arány a kattintások vagy látogatások konvertáló hányada. Ellenőrizendő: érkezési oldal, "
    "ár és készlet, űrlapok és fizetés, mérés, a forgalom összetétele.",
}
_ROAS = {
    Language.EN: "ROAS is revenue for each unit of cost (revenue / cost). It follows from CPA and the value of an "
    "order. To check: CPA, order value, the attribution window.",
    Language.TR: "ROAS, harcanan birim başına gelirdir (gelir / maliyet). CPA ve sipariş değerinin sonucudur. "
    "Bakılacaklar: CPA, sipariş değeri, ilişkilendirme penceresi.",
    Language.HU: "A ROAS az egységnyi költségre jutó bevétel (bevétel / költség). A CPA-ból és a rendelési értékből "
    "következik. Ellenőrizendő: CPA, rendelési érték, attribúciós időszak.",
}
_FREQUENCY = {
    Language.EN: "Frequency is how often one person has seen the ad (impressions / reach). To check: audience size "
    "against budget, how long the creative has run, CTR.",
    Language.TR: "Sıklık, bir kişinin reklamı kaç kez gördüğüdür (gösterim / erişim). Bakılacaklar: bütçeye göre hedef "
    "kitlenin büyüklüğü, kreatifin ne zamandır yayında olduğu, CTR.",
    Language.HU: "A gyakoriság azt mutatja, hányszor látta egy ember a hirdetést (megjelenés / elérés). Ellenőrizendő: "
    "a célközönség mérete a költségkerethez képest, mióta fut a kreatív, CTR.",
}
_BOUNCE = {
    Language.EN: "The bounce rate is the share of visits that leave without going on. To check: loading time, whether "
    "the page keeps the ad's promise, the mix of traffic.",
    Language.TR: "Hemen çıkma oranı, devam etmeden ayrılan ziyaretlerin payıdır. Bakılacaklar: yüklenme süresi, "
    "sayfanın reklamın vaadini karşılayıp karşılamadığı, trafiğin bileşimi.",
    Language.HU: "A visszafordulási arány a továbblépés nélkül távozó látogatások hányada. Ellenőrizendő: betöltési "
    "idő, teljesíti-e az oldal a hirdetés ígéretét, a forgalom összetétele.",
}

_DEAR = Metric(-1, money=True, rate=True)
_MORE = Metric(1)
_EARNED = Metric(1, money=True)
_BY_NAME: dict[str, Metric] = {
    **dict.fromkeys(("cpm", "costpermille", "costperthousand"), Metric(-1, money=True, rate=True, meaning=_CPM)),
    **dict.fromkeys(("cpc", "costperclick", "tbm"), Metric(-1, money=True, rate=True, meaning=_CPC)),
    **dict.fromkeys(
        ("cpa", "costperacquisition", "costperconversion", "costperresult", "costperpurchase"),
        Metric(-1, money=True, rate=True, meaning=_CPA),
    ),
    **dict.fromkeys(("cpl", "costperlead", "cac", "cpi", "cpv"), _DEAR),
    **dict.fromkeys(("ctr", "clickthroughrate"), Metric(1, rate=True, meaning=_CTR)),
    **dict.fromkeys(("cvr", "conversionrate", "convrate", "cr"), Metric(1, rate=True, meaning=_CVR)),
    "roas": Metric(1, rate=True, meaning=_ROAS),
    "roi": Metric(1, rate=True),
    "frequency": Metric(-1, rate=True, meaning=_FREQUENCY),
    "bouncerate": Metric(-1, rate=True, meaning=_BOUNCE),
    **dict.fromkeys(("unsubscriberate", "complaintrate", "cartabandonmentrate"), Metric(-1, rate=True)),
    **dict.fromkeys(("aov", "averageordervalue"), Metric(1, money=True, rate=True)),
    **dict.fromkeys(("revenue", "conversionvalue", "purchasevalue", "sales", "profit"), _EARNED),
    **dict.fromkeys(("spend", "cost", "amountspent", "adspend", "budget"), Metric(money=True)),
    **dict.fromkeys(
        ("conversions", "purchases", "orders", "leads", "clicks", "impressions", "reach", "sessions", "users"), _MORE
    ),
    **dict.fromkeys(("visitors", "pageviews", "signups", "installs", "engagementrate"), _MORE),
}


def metric(name: str) -> Metric:
    """However it is spelled: `cost_per_click`, `Cost per click`, `CPC`."""
    return _BY_NAME.get(re.sub(r"[\W_]+", "", fold(name)), UNKNOWN)
