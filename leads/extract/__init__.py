"""Lead data from the HTML of one page: pure, without network or database, and safe on whatever a stranger sends."""

from leads.extract.contacts import contacts as contacts
from leads.extract.links import contact_links as contact_links
from leads.extract.model import Address as Address
from leads.extract.model import Contact as Contact
from leads.extract.model import Geo as Geo
from leads.extract.model import Organisation as Organisation
from leads.extract.organisations import organisations as organisations
