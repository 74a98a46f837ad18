package aftercart

// #include <aftercart.h>
import "C"

import (
	"errors"
	"syscall"
)

// Error is the name that logs use.
func (s Status) Error() string {
	return "aftercart: " + C.GoString(C.aftercart_status_name(C.int32_t(s)))
}

// OpenError says why a call of the control plane failed: a catalog or an overlay could not be opened, or not be changed. errors.Is finds its Status, and what the system
// said: errors.Is(err, fs.ErrNotExist).
type OpenError struct {
	Status  Status
	Message string        // the whole story in one line
	OSError syscall.Errno // of the system call that failed, else 0
	Rule    uint32        // of the format that the file breaks, else 0
	Offset  uint64        // where: a byte, or a row of Part
	Part    string
}

func (e *OpenError) Error() string { return e.Status.Error() + ": " + e.Message }

// Is makes the status and the system's error known to errors.Is.
func (e *OpenError) Is(target error) bool {
	return target == e.Status || e.OSError != 0 && errors.Is(e.OSError, target)
}

func openError(problem *C.aftercart_error) *OpenError {
	return &OpenError{
		Status:  Status(problem.status),
		Message: C.GoString(&problem.message[0]),
		OSError: syscall.Errno(problem.os_error),
		Rule:    uint32(problem.rule),
		Offset:  uint64(problem.offset),
		Part:    C.GoString(&problem.part[0]),
	}
}

// openErrorOf is openError of a call that needs an engine: of a closed one it says what C cannot.
func openErrorOf(problem *C.aftercart_error) *OpenError {
	err := openError(problem)
	err.Status = closed(err.Status)
	return err
}
