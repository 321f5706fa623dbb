import{g as e}from"./site-jmIlx6FO.js";/* empty css             */e();const t=document.querySelector("[data-asked]");t&&(t.textContent=location.pathname);
