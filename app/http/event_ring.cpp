#include "app/http/event_ring.hpp"

#include <utility>

namespace jackfield::http {

void event_ring::add(uint64_t seq, std::string line) {
  lines_.push_back(std::move(line));
  last_ = seq;
  if (lines_.size() > most_)
    lines_.pop_front();
}

event_ring::part event_ring::after(uint64_t after, size_t limit) const {
  part out;
  out.last = after;
  for (auto i = static_cast<size_t>(after + 1 - first()); i < lines_.size() && out.count < limit;
       ++i, ++out.count, ++out.last)
    out.lines.append(out.count == 0 ? "" : ",").append(lines_[i]);
  return out;
}

} // namespace jackfield::http
