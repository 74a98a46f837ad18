module checkout

go 1.19

require aftercart v0.1.0

replace aftercart => ../../bindings/go
