#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "engine/sip/message.hpp"
#include "engine/sip/stream_framer.hpp"

namespace {

using namespace jackfield::sip;

struct found {
  stream_framer::kind what;
  std::string bytes;
  int status;

  bool operator==(const found&) const = default;
};

void take(stream_framer& framer, std::vector<found>& all) {
  while (auto item = framer.next())
    all.push_back({item.what, std::string(item.bytes), item.status});
}

} // namespace

/// The first octet says how the rest is cut into pieces; what is found must not depend on it.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0)
    return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const stream_framer::limits small{600, 1'500};

  stream_framer at_once(small);
  std::vector<found> whole;
  at_once.feed(bytes);
  take(at_once, whole);

  stream_framer by_pieces(small);
  std::vector<found> pieces;
  uint32_t random = data[0] + 1U;
  for (size_t i = 0; i < bytes.size();) {
    random = random * 1'664'525U + 1'013'904'223U;
    auto length = 1 + (random >> 24U) % (data[0] % 64U + 1U);
    // A copy of its own, so that a view kept past its piece is seen.
    std::string piece(bytes.substr(i, length));
    by_pieces.feed(piece);
    take(by_pieces, pieces);
    i += length;
    if (by_pieces.held() > small.message_bytes + small.header_bytes + piece.size())
      std::abort();
  }
  if (whole != pieces || at_once.failed() != by_pieces.failed())
    std::abort();

  message m;
  for (const auto& item : whole)
    if (item.what == stream_framer::kind::message) {
      auto verdict = m.parse(item.bytes, false);
      // Both count the same bytes, else a message could be smuggled in another's body.
      if (verdict == parse_verdict::good &&
          m.body().data() + m.body().size() != item.bytes.data() + item.bytes.size())
        std::abort();
    }
  return 0;
}
