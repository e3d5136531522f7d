;; SPDX-License-Identifier: Apache-2.0
;; args: --call run
;; outcome: trapped
;; tripped:
;; error.name: unreachable
;; frames: geo::Point::Point() names.wat@* | func[1] names.wat@* | run names.wat@*
;; exit: 1
(module
  (func (export "run") (call 1))
  (func (call $_ZN3geo5PointC1Ev))
  (func $_ZN3geo5PointC1Ev unreachable))
