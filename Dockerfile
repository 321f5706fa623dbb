# SPDX-License-Identifier: MIT
# docker build -t roomd . && docker run -p 4000:4000 roomd
FROM debian:bookworm-slim AS build
WORKDIR /src
COPY autogen.sh ./
RUN ./autogen.sh --packages-only
COPY . .
RUN ./autogen.sh --prefix=/usr --sysconfdir=/etc && make -j"$(nproc)" && make install-strip DESTDIR=/out

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends libuv1 libwebsockets17 libwebsockets-evlib-uv libmicrohttpd12 libinih1 libnettle8 zlib1g && rm -rf /var/lib/apt/lists/* && useradd --system --no-create-home --shell /usr/sbin/nologin roomd
COPY --from=build /out/usr/bin/roomd /usr/bin/roomd
COPY --from=build /out/etc/roomd.conf /etc/roomd.conf
COPY --from=build /out/usr/share/roomd /usr/share/roomd
USER roomd
EXPOSE 4000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["roomd", "--health-check"]
CMD ["roomd"]
