/** Decides in microseconds, inside the checkout process, which few offers belong on a receipt page, or none. */
module aftercart {
    exports aftercart;
}
