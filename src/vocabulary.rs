//! The small closed vocabularies that a feed, a policy, a request and the catalog file share.
//!
//! Every value has a fixed number, because numbers go into the file and across the C ABI.

/// Declares an enum with fixed `u8` codes, a name per value, and both ways back.
macro_rules! vocabulary {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $code:literal, $text:literal;)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        #[repr(u8)]
        pub enum $name { $($(#[$vmeta])* $variant = $code,)+ }

        impl $name {
            /// Every value, in the order of its code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The value with this code, or `None` where the code is not in use.
            #[must_use]
            pub const fn from_code(code: u8) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)+ _ => None }
            }

            /// The fixed number of this value.
            #[must_use]
            pub const fn code(self) -> u8 {
                match self { $(Self::$variant => $code,)+ }
            }

            /// The name as feeds, policies and logs write it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The value with this name; case does not matter.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                $(if name.eq_ignore_ascii_case($text) { return Some(Self::$variant); })+
                None
            }
        }

        #[cfg(any(feature = "programmes", feature = "log"))]
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                Self::from_name(&text).ok_or_else(|| {
                    let known: Vec<&str> = Self::ALL.iter().map(|value| value.name()).collect();
                    serde::de::Error::custom(format!("unknown \"{text}\": expected one of {}", known.join(", ")))
                })
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

pub(crate) use vocabulary;

vocabulary! {
    /// Whether a product can be bought now (Google Merchant `availability`).
    Availability {
        /// The feed does not say.
        #[default] Unknown = 0, "unknown";
        /// In stock.
        InStock = 1, "in_stock";
        /// Out of stock: never offered.
        OutOfStock = 2, "out_of_stock";
        /// Can be ordered before release.
        Preorder = 3, "preorder";
        /// Can be ordered, ships later.
        Backorder = 4, "backorder";
    }
}

vocabulary! {
    /// What kind of purchase a product is: it decides whether buying it again makes sense.
    Role {
        /// Not known: never offered again to who has it, unless they came back for it themselves.
        #[default] Unknown = 0, "unknown";
        /// Bought once for years: a coffee maker.
        Durable = 1, "durable";
        /// Used up and bought again: coffee pods.
        Consumable = 2, "consumable";
        /// Work done for the customer: installation.
        Service = 3, "service";
        /// Delivered as data.
        Digital = 4, "digital";
        /// Stored value.
        GiftCard = 5, "gift_card";
    }
}

vocabulary! {
    /// Why a product or offer needs care. Anything but `None` is shown only where the policy allows the class,
    /// and a bought line of such a class is left out of the query.
    SensitiveClass {
        /// Nothing special.
        #[default] None = 0, "none";
        /// Alcoholic drinks.
        Alcohol = 1, "alcohol";
        /// Tobacco and nicotine.
        Tobacco = 2, "tobacco";
        /// Health, medicine, pregnancy.
        Health = 3, "health";
        /// Adult content.
        Adult = 4, "adult";
        /// Weapons.
        Weapons = 5, "weapons";
        /// Gambling.
        Gambling = 6, "gambling";
        /// Credit.
        Credit = 7, "credit";
        /// Insurance.
        Insurance = 8, "insurance";
    }
}

vocabulary! {
    /// What an offer is. All kinds compete on one value scale.
    OfferKind {
        /// A product of the catalog.
        #[default] Product = 0, "product";
        /// An addition to a bought line: gift wrap.
        AddOn = 1, "add_on";
        /// A warranty or protection plan.
        Warranty = 2, "warranty";
        /// Work for the customer: installation, travel cover.
        Service = 3, "service";
        /// Something recurring.
        Subscription = 4, "subscription";
        /// Rewards, credit products, share of wallet. Regulated: eligibility comes from the host.
        PaymentIncentive = 5, "payment_incentive";
        /// Joining a loyalty programme.
        Loyalty = 6, "loyalty";
        /// Installing the merchant's app.
        AppPrompt = 7, "app_prompt";
        /// A guide for what was bought.
        Content = 8, "content";
        /// Save for later, remind me.
        NextPurchase = 9, "next_purchase";
    }
}

vocabulary! {
    /// What a piece of content is for. It is inherited kind by kind: a product's own care guide replaces its category's, and leaves
    /// the category's pairings in place.
    ContentKind {
        /// All that there is to know.
        #[default] Guide = 1, "guide";
        /// How to use it.
        Usage = 2, "usage";
        /// How to care for it.
        Care = 3, "care";
        /// What goes with it.
        Pairing = 4, "pairing";
    }
}

vocabulary! {
    /// Whose offer it is.
    Party {
        /// The merchant's own.
        #[default] First = 0, "first";
        /// A partner's.
        Third = 1, "third";
    }
}

vocabulary! {
    /// By what a rule of a policy names products and offers.
    By {
        /// Category subtree.
        #[default] Category = 0, "categories";
        /// Brand.
        Brand = 1, "brands";
        /// Partner.
        Partner = 2, "partners";
        /// Product.
        Product = 3, "products";
        /// Offer.
        Offer = 4, "offers";
        /// Kind of offer.
        Kind = 5, "kinds";
        /// Whose it is.
        Party = 6, "parties";
        /// Attribute of a product.
        Attribute = 7, "attributes";
    }
}

vocabulary! {
    /// An attribute of products that rules may name: a column of the feed, by Google Merchant's name.
    Attribute {
        /// Colour; several are separated by `/`.
        #[default] Color = 0, "color";
        /// Size.
        Size = 1, "size";
        /// Material; several are separated by `/`.
        Material = 2, "material";
        /// Pattern.
        Pattern = 3, "pattern";
        /// For whom it is cut.
        Gender = 4, "gender";
        /// For which age it is sized.
        AgeGroup = 5, "age_group";
        /// New, refurbished or used.
        Condition = 6, "condition";
        /// Energy label.
        EnergyEfficiencyClass = 7, "energy_efficiency_class";
        /// The merchant's own.
        CustomLabel0 = 8, "custom_label_0";
        /// Likewise.
        CustomLabel1 = 9, "custom_label_1";
        /// Likewise.
        CustomLabel2 = 10, "custom_label_2";
        /// Likewise.
        CustomLabel3 = 11, "custom_label_3";
        /// Likewise.
        CustomLabel4 = 12, "custom_label_4";
    }
}

impl Attribute {
    /// The values in a field of the feed or a name of a policy, as they are compared: in lower case, without blanks around.
    pub(crate) fn values(self, text: &str) -> impl Iterator<Item = String> {
        let several = matches!(self, Self::Color | Self::Material);
        let values = text.split(move |c| several && c == '/').map(|value| value.trim().to_lowercase());
        values.filter(|value| !value.is_empty())
    }
}

vocabulary! {
    /// How an order was paid.
    PaymentType {
        /// Not known.
        #[default] Unknown = 0, "unknown";
        /// Credit or debit card.
        Card = 1, "card";
        /// A device or account wallet.
        Wallet = 2, "wallet";
        /// Buy now, pay later.
        Bnpl = 3, "bnpl";
        /// Direct debit with a mandate.
        DirectDebit = 4, "direct_debit";
        /// A transfer that the customer confirms at their bank.
        BankTransfer = 5, "bank_transfer";
        /// Paid after delivery.
        Invoice = 6, "invoice";
        /// Gift card or store credit.
        GiftCard = 7, "gift_card";
        /// Cash, also on delivery.
        Cash = 8, "cash";
    }
}

vocabulary! {
    /// How an offer may be accepted.
    AcceptMode {
        /// There is nothing to accept, or it joins an order that is not paid yet.
        #[default] None = 0, "none";
        /// One click: the payment of this order is charged again.
        OneClickStoredCredential = 1, "one_click_stored_credential";
        /// One click and an explicit consent to what recurs.
        ConfirmConsent = 2, "confirm_consent";
        /// On the partner's page, or in an app shop.
        Redirect = 3, "redirect";
        /// The customer gives a payment anew.
        ReenterPayment = 4, "reenter_payment";
        /// The customer agrees to be enrolled or contacted.
        LeadOptIn = 5, "lead_opt_in";
    }
}

vocabulary! {
    /// For what a customer is asked for consent.
    Purpose {
        /// To fit pages to what the shop knows of the customer.
        #[default] Preferences = 0, "preferences";
        /// To count and to learn from what the customer does.
        Analytics = 1, "analytics";
        /// To advertise.
        Marketing = 2, "marketing";
        /// To sell or share data with third parties. Global Privacy Control refuses it.
        SaleOfData = 3, "sale_of_data";
    }
}

vocabulary! {
    /// What happened to an offer that was on a page.
    Exposure {
        /// It was seen.
        #[default] Shown = 0, "shown";
        /// The customer looked closer.
        Engaged = 1, "engaged";
        /// The customer took it.
        Accepted = 2, "accepted";
    }
}

vocabulary! {
    /// What the host knows of the customer's age.
    AgeBand {
        /// Not known: age-restricted offers are not shown.
        #[default] Unknown = 0, "unknown";
        /// Below the age of majority: first-party, unrestricted offers only.
        Minor = 1, "minor";
        /// Of age.
        Adult = 2, "adult";
    }
}

vocabulary! {
    /// Whom an offer is for.
    CustomerKind {
        /// Everybody, or not known.
        #[default] Any = 0, "any";
        /// First order.
        New = 1, "new";
        /// Has ordered before.
        Returning = 2, "returning";
    }
}

vocabulary! {
    /// Where in the purchase the placement stands.
    Stage {
        /// The page after payment.
        #[default] Confirmation = 0, "confirmation";
        /// The cart.
        Cart = 1, "cart";
        /// The checkout form.
        Checkout = 2, "checkout";
        /// The payment step.
        Payment = 3, "payment";
        /// The order status page.
        OrderStatus = 4, "order_status";
        /// An e-mail.
        Email = 5, "email";
        /// The merchant's app.
        App = 6, "app";
    }
}

/// An ISO 4217 currency code, three upper-case letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency(pub [u8; 3]);

impl Currency {
    /// US dollar.
    pub const USD: Self = Self(*b"USD");

    /// Reads three ASCII letters of either case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 3] = text.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_alphabetic).then(|| Self(bytes.map(|b| b.to_ascii_uppercase())))
    }

    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or("???")
    }
}

/// An ISO 3166-1 alpha-2 country code, two upper-case letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country(pub [u8; 2]);

impl Country {
    /// Reads two ASCII letters of either case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 2] = text.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_alphabetic).then(|| Self(bytes.map(|b| b.to_ascii_uppercase())))
    }

    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or("??")
    }

    /// A number in `0..676`, the bit of this country in a region set. `None` for anything but upper-case letters.
    #[must_use]
    pub fn bit(self) -> Option<u32> {
        let [a, b] = self.0;
        (a.is_ascii_uppercase() && b.is_ascii_uppercase())
            .then(|| u32::from(a - b'A') * 26 + u32::from(b - b'A'))
    }
}
