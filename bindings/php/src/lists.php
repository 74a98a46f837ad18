<?php

declare(strict_types=1);

namespace Aftercart;

// The lists of the header. A test compares them with it.

/** How a catalog file gets into memory. */
enum Mode: int
{
    case Map = 0;
    case Copy = 1;
}

/** How much of a file is checked when it is opened. */
enum Verify: int
{
    case Full = 0;
    case Structure = 1;
}

/** What is read from disk before decisions ask for it. */
enum Prefault: int
{
    case Background = 0;
    case Whole = 1;
    case None = 2;
}

/** Where in the purchase. */
enum Stage: int
{
    case Confirmation = 0;
    case Cart = 1;
    case Checkout = 2;
    case Payment = 3;
    case OrderStatus = 4;
    case Email = 5;
    case App = 6;
}

/** How it was paid. */
enum Payment: int
{
    case Unknown = 0;
    case Card = 1;
    case Wallet = 2;
    case Bnpl = 3;
    case DirectDebit = 4;
    case BankTransfer = 5;
    case Invoice = 6;
    case GiftCard = 7;
    case Cash = 8;
}

/** Kind of purchase. */
enum Role: int
{
    case Unknown = 0;
    case Durable = 1;
    case Consumable = 2;
    case Service = 3;
    case Digital = 4;
    case GiftCard = 5;
}

/** Sensitive classes of products. */
enum Sensitive: int
{
    case None = 0;
    case Alcohol = 1;
    case Tobacco = 2;
    case Health = 3;
    case Adult = 4;
    case Weapons = 5;
    case Gambling = 6;
    case Credit = 7;
    case Insurance = 8;
}

/** New or returning. */
enum Customer: int
{
    case Any = 0;
    case New = 1;
    case Returning = 2;
}

/** How old, as far as known. */
enum AgeBand: int
{
    case Unknown = 0;
    case Minor = 1;
    case Adult = 2;
}

/** What is offered. */
enum Kind: int
{
    case Product = 0;
    case AddOn = 1;
    case Warranty = 2;
    case Service = 3;
    case Subscription = 4;
    case PaymentIncentive = 5;
    case Loyalty = 6;
    case AppPrompt = 7;
    case Content = 8;
    case NextPurchase = 9;
}

/** How an offer follows from the order. */
enum Relation: int
{
    case BoughtTogether = 1;
    case GoesWithType = 2;
    case Refill = 3;
    case Triggered = 4;
    case House = 5;
    case Alike = 6;
}

/** How an offer may be accepted. Charging is yours. */
enum Accept: int
{
    /** There is nothing to accept, or it joins an order that is not paid yet. */
    case None = 0;
    case OneClickStoredCredential = 1;
    /** One click, and a consent to what recurs. */
    case ConfirmConsent = 2;
    case Redirect = 3;
    case ReenterPayment = 4;
    case LeadOptIn = 5;
}

/** Why an offer is accepted in its way and no shorter one. */
enum Acceptance: int
{
    case NothingToAccept = 0;
    case AppShop = 1;
    case Enrolment = 2;
    case ThirdPartySells = 3;
    case Regulated = 4;
    case BeforePayment = 5;
    case NotRechargeable = 6;
    case Recurs = 7;
    case SoldOnce = 8;
}

/** Where the customer sits. */
enum Device: int
{
    case Unknown = 0;
    case Phone = 1;
    case Tablet = 2;
    case Desktop = 3;
}

/** Why an option stands where it does. */
enum Because: int
{
    /** Nothing speaks for another place. */
    case HostOrder = 0;
    case LastUsed = 1;
    case OftenUsed = 2;
    case ReadyOnDevice = 3;
    case UsualHere = 4;
    /** A cheaper one that is as fast comes first. */
    case CheaperFirst = 5;
    case Holdout = 6;
}

/** What happened to an offer on an earlier page. */
enum Exposure: int
{
    case Shown = 8;
    case Engaged = 9;
    case Accepted = 10;
}

/** What happened after a decision. */
enum EventKind: int
{
    /** The page was seen: without it nothing counts as shown. */
    case Activated = 1;
    case Engaged = 2;
    case Accepted = 3;
    /** The code says why. */
    case AcceptFailed = 4;
    /** An accepted offer earned its value. */
    case Converted = 5;
    /** Of that, so much came back. */
    case Returned = 6;
    case Dismissed = 7;
    case SurveyAnswered = 8;
    /** The customer ordered something afterwards, by an offer or not. */
    case Ordered = 9;
}

/** What a message is for. The first two are owed to the customer, the others advertise. */
enum MessageKind: int
{
    case Delivery = 0;
    case Guidance = 1;
    case Suggestion = 2;
    case Refill = 3;
}

/** Through what a message goes. */
enum Channel: int
{
    case Email = 0;
    case Sms = 1;
    case Push = 2;
}

/** Why a message is not planned. */
enum Withheld: int
{
    case TimeUnknown = 1;
    case TooLate = 2;
    case ContactPolicy = 3;
    case Consent = 4;
    case Gift = 5;
}

/** What an id names. */
enum Item: int
{
    /** Whichever has the id; one that several have is refused. */
    case Any = 0;
    case Product = 1;
    case Offer = 2;
    /** Only in the live overlay. */
    case Partner = 3;
    /** @internal */
    case Question = 4;
    /** @internal */
    case Answer = 5;
}

/** What a live overlay can forget. */
enum Field: int
{
    case Stock = 1;
    case Price = 2;
    case Bid = 4;
    case Daily = 8;
    case Total = 16;
    case Pacing = 32;
}

/** @internal What a fact is. */
enum FactKind: int
{
    case Purchase = 1;
    case Decline = 2;
    case Answer = 3;
    case OptOutCategory = 4;
    case CartRemoved = 5;
    case OrderTag = 6;
    case Segment = 7;
    case Shown = 8;
    case Engaged = 9;
    case Accepted = 10;
    case Asked = 11;
    case Used = 12;
    case Failed = 13;
    case Contacted = 14;
}

/** How a call failed. The header says what each means. */
enum Status: int
{
    case NullPointer = -101;
    case Misaligned = -102;
    case BadSize = -103;
    case UnsupportedField = -104;
    case BadValue = -105;
    case BadString = -106;
    case BadUtf8 = -107;
    case TooManyLines = -108;
    case TooManyFacts = -109;
    case TooManySlots = -110;
    case UnknownId = -111;
    case TooManyOptions = -112;
    case BadHandle = -201;
    case Busy = -202;
    case Poisoned = -203;
    case BadCatalog = -301;
    case BadPolicy = -302;
    case LiveFull = -304;
    case BadModel = -305;
    case BadProgrammes = -306;
    case CatalogVersion = -401;
    case OutOfMemory = -501;
    case SystemError = -502;
    case Internal = -601;
    case BadLive = -303;
    case BudgetEmpty = -701;
    case LeasesOut = -702;
    case Paused = -703;
    case LeaseGone = -704;
    case LeaseForeign = -705;
    case BadToken = -801;
    case BadSignature = -802;
    case TokenExpired = -803;
    case WrongCurrency = -804;
}
