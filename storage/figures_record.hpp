#pragma once

#include "storage/call_figures.hpp"

namespace jackfield::storage {

namespace proto {
class Figures;
} // namespace proto

/// The figures of a call as records.proto has them.
void write(const call_figures& f, proto::Figures& out);
[[nodiscard]] call_figures read(const proto::Figures& in);

} // namespace jackfield::storage
