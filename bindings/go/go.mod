module aftercart

go 1.19
