// expect: threw deadline
throw { toString() { for (;;); }, toJSON() { for (;;); }, get name() { for (;;); } }
