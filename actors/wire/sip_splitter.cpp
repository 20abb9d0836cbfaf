#include "actors/wire/sip_splitter.hpp"

#include <string>

#include "engine/sip/stream_framer.hpp"

namespace jackfield {

namespace {

class sip_splitter final : public transport::stream_splitter {
public:
  result<void> feed(std::string_view bytes, transport::splitter_sink& sink) override {
    using kind = sip::stream_framer::kind;
    framer_.feed(bytes);
    while (const auto found = framer_.next()) {
      switch (found.what) {
      case kind::message:
        if (!sink.on_message(found.bytes))
          return {};
        break;
      case kind::ping: // the second of two line ends
      case kind::pong:
        if (!sink.on_crlf())
          return {};
        break;
      case kind::fault:
        // What can be answered is: the router finds the fault by itself and answers 400.
        if (!found.bytes.empty() && !sink.on_message(found.bytes))
          return {};
        return fail("sip stream", std::string{found.cause});
      case kind::none:
        break;
      }
    }
    return {};
  }

  [[nodiscard]] bool mid_message() const noexcept override { return framer_.in_message(); }

private:
  sip::stream_framer framer_;
};

} // namespace

std::unique_ptr<transport::stream_splitter> make_sip_splitter() {
  return std::make_unique<sip_splitter>();
}

} // namespace jackfield
