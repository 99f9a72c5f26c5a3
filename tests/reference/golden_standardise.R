# Writes golden/standardise.json: marginal means of binary outcomes by the g-formula and by augmented inverse probability
# weighting, and survival and restricted means standardised from Cox models, with standard errors from influence functions.
# Debian has no package for any of these: each is written out here, and checked against something that does not know the
# formula. Logistic means: the sandwich of the stacked estimating equations with a numeric Jacobian. Cox: refits with a
# little more and a little less weight on one row, and survfit's own predicted curves. The distances are printed.
# Needs what golden.R needs. Usage, from this folder: Rscript golden_standardise.R
source("golden_functions.R")
all <- read.csv("relapsed-myeloma-596.csv", na.strings = ""); d <- all[!is.na(all$fish), ]
d$a <- as.integer(d$regimen == "IsaPd"); d$female <- as.integer(d$sex == "F"); d$iss <- factor(d$iss_stage); d$dara_no <- 1 - d$dara_refr; d$asct_no <- 1 - d$asct; d$fish_high <- as.integer(d$fish == "high")
rhs <- "age + female + crcl + iss + ldh_high + dara_no + asct_no + fish_high"; terms <- list(adjusted = paste("~ a +", rhs), interaction = paste("~ a +", rhs, "+ a:dara_no"))
r <- read.csv("rotterdam.csv"); r$size_f <- factor(r$size_c, levels = c("<=20", "20-50", ">50")); r$a <- r$chemo; rhs_r <- "age + meno + size_f + nodes + grade + hormon"

designs <- function(formula, data) lapply(list(observed = data$a, treated = rep(1, nrow(data)), control = rep(0, nrow(data))), function(arm) { data$a <- arm; model.matrix(as.formula(formula), data) })
# Means (treated, control) with the influence of every row on either (n x 2): the covariance is the cross product.
contrasts_of <- function(mu, psi) { V <- crossprod(psi); se <- function(g) sqrt(drop(t(g) %*% V %*% g)); odds <- mu / (1 - mu)
  list(treated = c(mu[1], se(c(1, 0))), control = c(mu[2], se(c(0, 1))), difference = c(mu[1] - mu[2], se(c(1, -1))), log_ratio = c(log(mu[1] / mu[2]), se(c(1, -1) / mu)), log_odds_ratio = c(log(odds[1] / odds[2]), se(c(1, -1) / (mu * (1 - mu))))) }
# Maximum and inverse information of a logistic model, to rounding: two steps after glm.
exact_logistic <- function(X, y) { b <- coef(glm.fit(X, y, family = binomial(), control = tight_glm)); for (i in 1:2) { m <- plogis(drop(X %*% b)); V <- solve(crossprod(X, m * (1 - m) * X)); b <- b + drop(V %*% crossprod(X, y - m)) }; m <- plogis(drop(X %*% b)); list(b = b, V = solve(crossprod(X, m * (1 - m) * X))) }
# Central differences at three steps, twice extrapolated.
richardson <- function(f, e) { s <- function(e) (f(e) - f(-e)) / (2 * e); x <- list(s(e), s(e / 2), s(e / 4)); y <- list((4 * x[[2]] - x[[1]]) / 3, (4 * x[[3]] - x[[2]]) / 3); (16 * y[[2]] - y[[1]]) / 15 }
# Influences on the last two of `theta` from estimating functions u(theta) (n x k) alone.
stacked <- function(u, theta, size) { J <- sapply(seq_along(theta), function(j) richardson(function(e) { t <- theta; t[j] <- t[j] + e * size[j]; colSums(u(t)) }, 1e-2) / size[j]); psi <- -u(theta) %*% t(solve(J)); psi[, length(theta) - 1:0] }
check <- function(name, psi, numeric) { e <- max(abs(psi - numeric)) / max(abs(psi)); v <- max(abs(crossprod(psi) / crossprod(numeric) - 1)); cat(sprintf("%-42s influences %.1e, variances %.1e\n", name, e, v)); stopifnot(e < 1e-7, v < 1e-7) }

g_formula <- function(name, X, y) { n <- length(y); f <- exact_logistic(X$observed, y); arms <- X[c("treated", "control")]; m <- sapply(arms, function(x) plogis(drop(x %*% f$b))); mu <- unname(colMeans(m)); L <- (y - plogis(drop(X$observed %*% f$b))) * X$observed
  psi <- sapply(1:2, function(k) { g <- crossprod(arms[[k]], m[, k] * (1 - m[, k])); m[, k] - mu[k] + drop(L %*% f$V %*% g) }) / n
  q <- length(f$b); u <- function(t) cbind((y - plogis(drop(X$observed %*% t[1:q]))) * X$observed, sapply(1:2, function(k) plogis(drop(arms[[k]] %*% t[1:q])) - t[q + k]))
  check(paste("g-formula", name), psi, stacked(u, c(f$b, mu), c(sqrt(diag(f$V)), 1, 1))); contrasts_of(mu, psi) }

aipw <- function(name, X, Z, a, y) { n <- length(y); f <- exact_logistic(X$observed, y); p <- exact_logistic(Z, a); q <- length(f$b); k <- length(p$b)
  terms <- function(b, alpha) { e <- plogis(drop(Z %*% alpha)); m1 <- plogis(drop(X$treated %*% b)); m0 <- plogis(drop(X$control %*% b)); cbind(a / e * (y - m1) + m1, (1 - a) / (1 - e) * (y - m0) + m0) }
  phi <- terms(f$b, p$b); mu <- colMeans(phi); e <- plogis(drop(Z %*% p$b)); m <- cbind(plogis(drop(X$treated %*% f$b)), plogis(drop(X$control %*% f$b)))
  L <- (y - plogis(drop(X$observed %*% f$b))) * X$observed; s <- (a - e) * Z; share <- cbind(a / e, (1 - a) / (1 - e)); turn <- cbind(-a * (1 - e) / e, (1 - a) * e / (1 - e))
  psi <- sapply(1:2, function(j) { x <- X[[c("treated", "control")[j]]]; by_b <- crossprod(x, (1 - share[, j]) * m[, j] * (1 - m[, j])); by_alpha <- crossprod(Z, turn[, j] * (y - m[, j])); phi[, j] - mu[j] + drop(L %*% f$V %*% by_b) + drop(s %*% p$V %*% by_alpha) }) / n
  u <- function(t) { b <- t[1:q]; alpha <- t[q + 1:k]; cbind((y - plogis(drop(X$observed %*% b))) * X$observed, (a - plogis(drop(Z %*% alpha))) * Z, sweep(terms(b, alpha), 2, t[q + k + 1:2])) }
  check(paste("AIPW", name), psi, stacked(u, c(f$b, p$b, mu), c(sqrt(diag(f$V)), sqrt(diag(p$V)), 1, 1)))
  list(simple = contrasts_of(mu, sweep(phi, 2, mu) / n), m_estimation = contrasts_of(mu, psi)) }

# ---- Cox: baseline hazard by the approximation of the fit, for any case weights ----
# Terms l = 0..d-1 of every event time: time, share of the deaths taken off the risk set, mean weight of a death.
tie_terms <- function(t, s, w, ties) do.call(rbind, lapply(sort(unique(t[s == 1])), function(u) { k <- sum(s == 1 & t == u); W <- sum(w[s == 1 & t == u]); if (ties == "efron") data.frame(time = u, c = (seq_len(k) - 1) / k, wbar = W / k) else data.frame(time = u, c = 0, wbar = W) }))
hazard_terms <- function(tt, t, s, r) mapply(function(u, c) sum(r[t >= u]) - c * sum(r[s == 1 & t == u]), tt$time, tt$c)
# Means at `times` and areas up to `horizon` of the weighted, predicted curves, from a fit with case weights.
curves <- function(data, X, ties, w, times, horizon, init = NULL) { f <- coxph.fit(X$observed, Surv(data$t, data$s), NULL, NULL, init, tight_cox, w, ties, as.character(seq_len(nrow(data)))); b <- f$coefficients; tt <- tie_terms(data$t, data$s, w, ties); H <- cumsum(tt$wbar / hazard_terms(tt, data$t, data$s, w * exp(drop(X$observed %*% b))))
  at <- function(time) if (any(tt$time <= time)) H[max(which(tt$time <= time))] else 0
  knots <- c(0, unique(tt$time[tt$time < horizon])); widths <- diff(c(knots, horizon)); hk <- sapply(knots, at)
  sapply(X[c("treated", "control")], function(x) { h <- exp(drop(x %*% b)); c(sapply(times, function(time) weighted.mean(exp(-at(time) * h), w)), weighted.mean(rowSums(sapply(seq_along(hk), function(k) widths[k] * exp(-hk[k] * h))), w)) }) }

standardised_cox <- function(name, formula, data, ties, times, horizon, rows) { data <- data[order(data$t), ]; X <- lapply(designs(formula, data), function(x) x[, -1, drop = FALSE]); centre <- colMeans(X$observed); X <- lapply(X, sweep, 2, centre); n <- nrow(data); t <- data$t; s <- data$s
  f <- coxph(Surv(t, s) ~ X$observed, ties = ties, control = tight_cox); b <- unname(coef(f)); V <- unname(f$var); L <- unname(residuals(f, "score")); r <- exp(drop(X$observed %*% b)); arms <- X[c("treated", "control")]
  # Every term of every event time one by one: hazard, its derivative in b, and in the weight of each row at fixed b.
  tt <- tie_terms(t, s, rep(1, n), ties); phi <- hazard_terms(tt, t, s, r); step <- tt$wbar / phi; last <- !duplicated(tt$time, fromLast = TRUE); events <- tt$time[last]
  by_b <- -t(sapply(seq_along(phi), function(j) tt$wbar[j] / phi[j]^2 * (colSums(r * (t >= tt$time[j]) * X$observed) - tt$c[j] * colSums(r * (s == 1 & t == tt$time[j]) * X$observed))))
  by_w <- sapply(seq_along(phi), function(j) { dead <- s == 1 & t == tt$time[j]; dead * tt$wbar[j] / sum(dead) / phi[j] - tt$wbar[j] / phi[j]^2 * r * ((t >= tt$time[j]) - tt$c[j] * dead) })
  H <- cumsum(step)[last]; psi_H <- (t(apply(by_w, 1, cumsum)) + L %*% V %*% t(apply(by_b, 2, cumsum)))[, last]
  basehaz_distance <- max(abs(H / { z <- basehaz(f, centered = FALSE); z$hazard[match(events, z$time)] } - 1))
  # Means and influences at every event time, then those that were asked for.
  mean_at <- sapply(arms, function(x) sapply(H, function(h) mean(exp(-h * exp(drop(x %*% b)))))); psi_at <- lapply(arms, function(x) { h <- exp(drop(x %*% b)); sapply(seq_along(H), function(k) { S <- exp(-H[k] * h); S - mean(S) + drop(L %*% V %*% colSums(-H[k] * S * h * x)) - sum(S * h) * psi_H[, k] }) / n })
  index <- findInterval(times, events); at <- lapply(seq_along(times), function(i) { k <- index[i]; if (k == 0) list(mu = c(1, 1), psi = matrix(0, n, 2)) else list(mu = unname(mean_at[k, ]), psi = sapply(psi_at, function(p) p[, k])) })
  before <- which(events < horizon); widths <- diff(c(events[before], horizon)); area <- list(mu = unname(c(events[1] + colSums(widths * mean_at[before, ]))), psi = sapply(psi_at, function(p) drop(p[, before] %*% widths)))
  # Against survfit's predicted curves and against refits.
  nd <- survfit(coxph(as.formula(paste("Surv(t, s)", formula)), data, ties = ties, control = tight_cox), newdata = transform(data, a = 1)); predicted <- max(abs(rowMeans(summary(nd, times = times, extend = TRUE)$surv) - sapply(at, function(p) p$mu[1])))
  w <- rep(1, n); worst <- 0; for (i in rows) { numeric <- richardson(function(e) { w[i] <- 1 + e; curves(data, X, ties, w, times, horizon, b) }, .05); ours <- rbind(t(sapply(at, function(p) p$psi[i, ])), area$psi[i, ]); size <- rbind(t(sapply(at, function(p) apply(abs(p$psi), 2, max))), apply(abs(area$psi), 2, max)); worst <- max(worst, abs(numeric - ours) / pmax(size, 1e-300)) }
  cat(sprintf("%-42s basehaz %.1e, survfit %.1e, refits of %d rows %.1e\n", name, basehaz_distance, predicted, length(rows), worst)); stopifnot(basehaz_distance < 1e-10, predicted < 1e-12, worst < 1e-5)
  names(at) <- times; list(times = times, survival = lapply(at, function(p) contrasts_of(p$mu, p$psi)[c("treated", "control", "difference")]), log_risk_ratio = lapply(at, function(p) contrasts_of(1 - p$mu, -p$psi)$log_ratio), horizon = horizon, rmst = contrasts_of(area$mu, area$psi)[c("treated", "control", "difference", "log_ratio")]) }

# ---- the relapsed myeloma cohort ----
Z <- model.matrix(as.formula(paste("~", rhs)), d); out <- list()
for (o in c("response", "neutropenia", "infection")) out$binary[[o]] <- lapply(setNames(nm = names(terms)), function(m) { X <- designs(terms[[m]], d); list(g_formula = g_formula(paste(o, m), X, d[[o]]), aipw = aipw(paste(o, m), X, Z, d$a, d[[o]])) })
rows <- c(1, 2, 17, 60, 101, 150, 199, 240, 260, 277)
for (grid in c("day", "month")) for (o in list(c("pfs", "pfs_days", "pfs_event"), c("os", "os_days", "death"))) { v <- d; v$t <- ceiling(d[[o[2]]] / if (grid == "day") 1 else 30.4375); v$s <- d[[o[3]]]; times <- if (grid == "day") c(0, 91, 183, 365, 548, 730, 1000) else c(0, 3, 6, 12, 18, 24, 33)
  for (m in names(terms)) for (ties in c("efron", "breslow")) out[[paste0("survival_", grid)]][[o[1]]][[m]][[ties]] <- standardised_cox(paste(grid, o[1], m, ties), terms[[m]], v, ties, times, if (grid == "day") 730 else 24, rows) }

# ---- rotterdam: many rows, many ties ----
r$quarter <- ceiling(r$t / 91.3125); v <- r; v$t <- r$quarter; formula <- paste("~ a +", rhs_r); X <- designs(formula, r)
out$rotterdam <- list(binary = list(g_formula = g_formula("rotterdam", X, r$s), aipw = aipw("rotterdam", X, model.matrix(as.formula(paste("~", rhs_r)), r), r$a, r$s)), survival = lapply(setNames(nm = c("efron", "breslow")), function(ties) standardised_cox(paste("rotterdam", ties), formula, v, ties, c(4, 20, 40), 40, c(1, 500, 1400, 2982))))
save_json(out, "standardise")
