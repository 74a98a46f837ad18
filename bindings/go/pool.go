package aftercart

import "runtime"

// Pool shares deciders among goroutines. A decision takes a fraction of a millisecond of a core, so as many deciders as cores
// are enough for any number of goroutines; the others wait in line.
type Pool struct {
	engine *Engine
	free   chan *Decider
}

// NewPool makes a pool of size deciders; 0 = as many as goroutines run at a time. Close it when the last call has returned.
func NewPool(engine *Engine, size int) (*Pool, error) {
	if size <= 0 {
		size = runtime.GOMAXPROCS(0)
	}
	pool := &Pool{engine, make(chan *Decider, size)}
	for i := 0; i < size; i++ {
		decider, err := engine.NewDecider()
		if err != nil {
			pool.free <- nil // so that Close finds an end
			for decider := <-pool.free; decider != nil; decider = <-pool.free {
				decider.Close()
			}
			return nil, err
		}
		pool.free <- decider
	}
	return pool, nil
}

// Decide is Decider.Decide with a decider of the pool.
func (p *Pool) Decide(order *Transaction, customer *Profile, offers *Offers) error {
	decider := <-p.free
	if decider == nil {
		p.free <- nil
		return BadHandle
	}
	defer func() { p.free <- decider }() // also where a panic passes by
	err := decider.Decide(order, customer, offers)
	if err == Internal || err == Poisoned { // a defect has left it half-way
		if fresh, none := p.engine.NewDecider(); none == nil {
			decider.Close()
			decider = fresh
		}
	}
	return err
}

// Close waits for decisions that are running and gives all deciders back; later decisions get BadHandle.
func (p *Pool) Close() error {
	for i := 0; i < cap(p.free); i++ {
		decider := <-p.free
		if decider == nil {
			break // closed before
		}
		decider.Close()
	}
	p.free <- nil
	return nil
}
