//! How an offer may be accepted: a rule over what it is, whose it is, and how the order was paid. Charging is the host's.

use crate::offer::Offer;
use crate::policy::is_before_payment;
use crate::transaction::Transaction;
use crate::vocabulary::{AcceptMode, Country, OfferKind, PaymentType, Stage, vocabulary};

vocabulary! {
    /// Why an offer is accepted in its way and no shorter one.
    AcceptReason {
        /// There is nothing to accept.
        #[default] NothingToAccept = 0, "nothing_to_accept";
        /// It is installed from an app shop.
        AppShop = 1, "app_shop";
        /// The customer joins something, and agrees to it.
        Enrolment = 2, "enrolment";
        /// Another sells: they take the payment themselves (in the US, 15 U.S.C. 8402 forbids handing it on).
        ThirdPartySells = 3, "third_party_sells";
        /// It is credit or a way of paying: its provider decides, not the merchant.
        Regulated = 4, "regulated";
        /// Nothing is paid yet: it joins the order.
        BeforePayment = 5, "before_payment";
        /// The order's payment cannot be charged again, or nobody says that it can.
        NotRechargeable = 6, "not_rechargeable";
        /// It recurs: that needs a consent of its own.
        Recurs = 7, "recurs";
        /// The merchant sells it once, to a payment that can be charged again.
        SoldOnce = 8, "sold_once";
    }
}

impl AcceptReason {
    /// One line for people.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::NothingToAccept => "there is nothing to accept",
            Self::AppShop => "it is installed from an app shop",
            Self::Enrolment => "the customer joins something, and agrees to it",
            Self::ThirdPartySells => "another sells it, and takes the payment",
            Self::Regulated => "its provider decides, not the merchant",
            Self::BeforePayment => "it joins an order that is not paid yet",
            Self::NotRechargeable => "the order's payment cannot be charged again",
            Self::Recurs => "it recurs, which needs a consent of its own",
            Self::SoldOnce => "sold by the merchant, once, to a payment that can be charged again",
        }
    }
}

/// How an offer may be accepted: what a page shows and a server does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AcceptPlan {
    /// The shortest way that is allowed; as [`Offer::accept`].
    pub mode: AcceptMode,
    /// Why no shorter one.
    pub reason: AcceptReason,
    /// The customer's bank may want them to confirm a card's being charged again: strong customer authentication in the EEA and
    /// the United Kingdom, an additional factor in India. Also where card or country are not known.
    pub may_need_confirmation: bool,
}

impl AcceptPlan {
    /// The plan for an offer that was decided for a transaction. No allocation.
    #[must_use]
    pub fn of(offer: &Offer, transaction: &Transaction<'_>) -> Self {
        let acceptance = Acceptance {
            kind: offer.kind,
            third_party: offer.third_party,
            stage: transaction.placement.stage,
            payment: transaction.payment,
            rechargeable: transaction.rechargeable,
        };
        acceptance.plan(transaction.country)
    }
}

/// The European Economic Area, the United Kingdom and India.
const CONFIRMING: [&[u8; 2]; 32] = [
    b"AT", b"BE", b"BG", b"CY", b"CZ", b"DE", b"DK", b"EE", b"ES", b"FI", b"FR", b"GB", b"GR", b"HR", b"HU",
    b"IE", b"IN", b"IS", b"IT", b"LI", b"LT", b"LU", b"LV", b"MT", b"NL", b"NO", b"PL", b"PT", b"RO", b"SE",
    b"SI", b"SK",
];

/// What the rule looks at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Acceptance {
    pub(crate) kind: OfferKind,
    pub(crate) third_party: bool,
    pub(crate) stage: Stage,
    pub(crate) payment: PaymentType,
    pub(crate) rechargeable: Option<bool>,
}

impl Acceptance {
    /// The shortest way that is allowed. A stored credential only where the merchant itself sells, once, and the host vouches
    /// that the payment can be charged again: where another sells, the law wants the customer to give the payment anew (in the
    /// US, 15 U.S.C. 8402), and what recurs wants a consent of its own.
    pub(crate) fn mode(self) -> AcceptMode {
        match self.reason() {
            AcceptReason::NothingToAccept | AcceptReason::BeforePayment => AcceptMode::None,
            AcceptReason::AppShop | AcceptReason::ThirdPartySells | AcceptReason::Regulated => {
                AcceptMode::Redirect
            }
            AcceptReason::Enrolment => AcceptMode::LeadOptIn,
            AcceptReason::NotRechargeable => AcceptMode::ReenterPayment,
            AcceptReason::Recurs => AcceptMode::ConfirmConsent,
            AcceptReason::SoldOnce => AcceptMode::OneClickStoredCredential,
        }
    }

    fn reason(self) -> AcceptReason {
        match self.kind {
            OfferKind::Content | OfferKind::NextPurchase => AcceptReason::NothingToAccept,
            OfferKind::AppPrompt => AcceptReason::AppShop,
            OfferKind::Loyalty => AcceptReason::Enrolment,
            _ if self.third_party => AcceptReason::ThirdPartySells,
            OfferKind::PaymentIncentive => AcceptReason::Regulated,
            _ if is_before_payment(self.stage) => AcceptReason::BeforePayment,
            _ if !self.can_charge_again() => AcceptReason::NotRechargeable,
            OfferKind::Subscription => AcceptReason::Recurs,
            OfferKind::Product | OfferKind::AddOn | OfferKind::Warranty | OfferKind::Service => {
                AcceptReason::SoldOnce
            }
        }
    }

    pub(crate) fn plan(self, country: Option<Country>) -> AcceptPlan {
        let (mode, reason) = (self.mode(), self.reason());
        let charged_again = matches!(mode, AcceptMode::OneClickStoredCredential | AcceptMode::ConfirmConsent);
        let confirms = country.is_none_or(|country| CONFIRMING.contains(&&country.0));
        let card = matches!(self.payment, PaymentType::Card | PaymentType::Unknown);
        AcceptPlan { mode, reason, may_need_confirmation: charged_again && confirms && card }
    }

    /// Some ways of paying cannot be charged again, whatever the host says.
    fn can_charge_again(self) -> bool {
        let once = matches!(
            self.payment,
            PaymentType::Wallet
                | PaymentType::Bnpl
                | PaymentType::BankTransfer
                | PaymentType::GiftCard
                | PaymentType::Cash
        );
        self.rechargeable == Some(true) && !once
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every combination of what the rule looks at.
    fn all() -> impl Iterator<Item = Acceptance> {
        let rechargeable = [None, Some(false), Some(true)];
        OfferKind::ALL.iter().flat_map(move |kind| {
            [false, true].into_iter().flat_map(move |third_party| {
                Stage::ALL.iter().flat_map(move |stage| {
                    PaymentType::ALL.iter().flat_map(move |payment| {
                        rechargeable.into_iter().map(move |rechargeable| Acceptance {
                            kind: *kind,
                            third_party,
                            stage: *stage,
                            payment: *payment,
                            rechargeable,
                        })
                    })
                })
            })
        })
    }

    #[test]
    fn a_stored_credential_is_charged_only_by_the_merchant_once_and_where_the_host_vouches() {
        let mut charged = 0;
        for case in all().filter(|case| case.mode() == AcceptMode::OneClickStoredCredential) {
            assert!(!case.third_party, "{case:?}");
            assert_eq!(case.rechargeable, Some(true), "{case:?}");
            assert_ne!(case.kind, OfferKind::Subscription, "{case:?}");
            assert!(!matches!(case.payment, PaymentType::GiftCard | PaymentType::Bnpl), "{case:?}");
            charged += 1;
        }
        assert!(charged > 0);
    }

    /// What a cell of the README's table says.
    fn cell(plan: AcceptPlan) -> &'static str {
        match (plan.mode, plan.may_need_confirmation) {
            (AcceptMode::OneClickStoredCredential, false) => "one click",
            (AcceptMode::OneClickStoredCredential, true) => "one click; the bank may ask",
            (AcceptMode::ConfirmConsent, false) => "one click and a consent",
            (AcceptMode::ConfirmConsent, true) => "one click and a consent; the bank may ask",
            (AcceptMode::ReenterPayment, _) => "paid anew",
            (AcceptMode::Redirect, _) => "at the partner's",
            (AcceptMode::None | AcceptMode::LeadOptIn, _) => "",
        }
    }

    #[test]
    fn the_readme_has_the_matrix_of_party_recurrence_payment_and_region() {
        let regions = ["US", "DE", "GB", "IN", "AU"].map(Country::parse);
        let mut rows: Vec<([&str; 2], [&str; 5], Vec<&str>)> = Vec::new();
        for (party, third_party) in [("you", false), ("a partner", true)] {
            for (recurs, kind) in [("once", OfferKind::Product), ("recurring", OfferKind::Subscription)] {
                for payment in PaymentType::ALL {
                    let (stage, rechargeable) = (Stage::Confirmation, Some(true));
                    let of = Acceptance { kind, third_party, stage, payment: *payment, rechargeable };
                    let cells = regions.map(|country| cell(of.plan(country)));
                    match rows.iter_mut().find(|row| row.0 == [party, recurs] && row.1 == cells) {
                        Some(row) => row.2.push(payment.name()),
                        None => rows.push(([party, recurs], cells, vec![payment.name()])),
                    }
                }
            }
        }
        let mut table = String::from(
            "| sold by | | paid by | US | EEA | United Kingdom | India | elsewhere |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n",
        );
        for ([party, recurs], cells, payments) in rows {
            let payments = if payments.len() == PaymentType::ALL.len() {
                "anything".into()
            } else {
                payments.join(", ")
            };
            table += &format!("| {party} | {recurs} | {payments} | {} |\n", cells.join(" | "));
        }
        let readme = include_str!("../README.md");
        assert!(readme.contains(&format!("{table}\n")), "the README must have this table:\n{table}");
    }

    #[test]
    fn what_recurs_asks_for_consent_and_what_costs_nothing_for_nothing() {
        let paid = Acceptance {
            kind: OfferKind::Subscription,
            third_party: false,
            stage: Stage::Confirmation,
            payment: PaymentType::Card,
            rechargeable: Some(true),
        };
        assert_eq!(paid.mode(), AcceptMode::ConfirmConsent);
        assert_eq!(
            Acceptance { kind: OfferKind::Product, ..paid }.mode(),
            AcceptMode::OneClickStoredCredential
        );
        assert_eq!(Acceptance { third_party: true, ..paid }.mode(), AcceptMode::Redirect);
        assert_eq!(Acceptance { rechargeable: None, ..paid }.mode(), AcceptMode::ReenterPayment);
        assert_eq!(Acceptance { kind: OfferKind::Content, ..paid }.mode(), AcceptMode::None);
        assert_eq!(Acceptance { kind: OfferKind::Loyalty, ..paid }.mode(), AcceptMode::LeadOptIn);
        let before = Acceptance { kind: OfferKind::Product, stage: Stage::Cart, ..paid };
        assert_eq!(before.mode(), AcceptMode::None);
    }
}
