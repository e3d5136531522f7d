module curfew

go 1.19
